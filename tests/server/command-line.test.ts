/** The table of options: parser, help and README from one place. */
import { describe, expect, test } from 'bun:test';
import { optionsHelp, optionsMarkdown } from '../../src/config/help.ts';
import { flagOf, variableOf } from '../../src/config/option.ts';
import { bytes, choice, duration, integer, list } from '../../src/config/option-types.ts';
import { type Config, optionRows } from '../../src/config/options.ts';
import { type CommandLine, parseCommandLine } from '../../src/config/parse-command-line.ts';
import { suggest } from '../../src/config/suggest.ts';
import { parseEndpoint, parseListen } from '../../src/endpoint.ts';
import { ConfigError } from '../../src/errors.ts';

const commands = ['serve', 'info', 'healthcheck', 'register', 'check'];
const parse = (argv: string[], env: Record<string, string> = {}): CommandLine =>
  parseCommandLine(argv, env, commands);
const configOf = (argv: string[], env: Record<string, string> = {}): Config =>
  parse(argv, env).config;
function problemsOf(argv: string[], env: Record<string, string> = {}): string[] {
  try {
    parse(argv, env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message.split('\n');
  }
  return [];
}

test('precedence, flag before variable before default', () => {
  expect(configOf([]).maxImages).toBe(256);
  expect(configOf([], { OP_MAX_IMAGES: '10' }).maxImages).toBe(10);
  expect(configOf(['--max-images', '20'], { OP_MAX_IMAGES: '10' }).maxImages).toBe(20);
  expect(configOf(['--max-images=20', '--max-images', '30']).maxImages).toBe(30);
});

test('an empty variable counts as not set, except for the endpoint', () => {
  expect(configOf([], { OP_THREADS: '', OP_MAX_IMAGES: '' }).maxImages).toBe(256);
  expect(problemsOf([], { OP_ENDPOINT: '' })[0]).toStartWith(
    'OP_ENDPOINT: read "", which is empty',
  );
});

test('commands, the first one is taken when none is named', () => {
  expect(parse([])).toMatchObject({ command: 'serve', named: false });
  expect(parse(['--threads', '2', 'info'])).toMatchObject({ command: 'info', named: true });
});

test('every problem is said at once, with the source, what was read and what is allowed', () => {
  const problems = problemsOf(
    ['--max-images', '0', '--device=gpu', '--threads', 'two', '--listen', 'x', '--endpont', 'a:1'],
    { OP_ENDPOINT: ':52001', OP_REQUEST_TIMEOUT: '5', OP_MAX_MESSAGE_BYTES: '2TiB' },
  );
  const all = problems.join('\n');
  expect(problems).toHaveLength(8);
  expect(all).toContain(
    '--max-images: read "0", which is too small; allowed: a whole number from 1 to 100000',
  );
  expect(all).toContain(
    '--device: read "gpu", which is not one of the choices; allowed: auto, webgpu, wasm',
  );
  expect(all).toContain('--threads: read "two", which is not a whole number');
  expect(all).toContain('--listen: read "x", which has no port');
  expect(all).toContain('--endpont is not an option, did you mean --endpoint?');
  expect(all).toContain('OP_ENDPOINT: read ":52001", which has no host');
  expect(all).toContain('OP_REQUEST_TIMEOUT: read "5", which has no unit');
  expect(all).toContain('OP_MAX_MESSAGE_BYTES: read "2TiB", which is not a number of bytes');
});

test.each([
  [['--threads='], '--threads: read "", which is empty; allowed: '],
  [['--max-images', '-5'], '--max-images: read "-5", which is too small'],
  [['--docker-image', 'a b'], '--docker-image: read "a b", which is not allowed'],
  [['srve'], '"srve" is not a command, did you mean serve?'],
  [['info', 'more'], '"more": info takes no arguments'],
  [['--threads'], '--threads has no value'],
  [['--threads', '--device', 'wasm'], '--threads has no value'],
  [['info', '--cors-origin', '*'], '--cors-origin is an option of serve, not of info'],
  [['--what-is-this'], '--what-is-this is not an option'],
  [['-x'], '-x is not an option'],
  [['--port', '80'], '--port is not an option, did you mean --listen :PORT?'],
  [['-p', '80'], '-p is not an option, did you mean --listen :PORT?'],
  [['--listen', '80'], '--listen: read "80", which is a port without its colon: write ":80"'],
  [['--endpoint', '80'], '--endpoint: read "80", which is a port, and has no host'],
  [['--name', 'a b'], '--name: read "a b", which is not allowed; allowed: letters, digits'],
  [['--name', '-a'], '--name: read "-a", which is not allowed'],
  [['--instance', 'a/b'], '--instance: read "a/b", which is not allowed'],
])('%j is refused', (argv, words) => {
  expect(problemsOf(argv)).toContainEqual(expect.stringContaining(words));
});

test('--help and --version win over whatever is wrong', () => {
  expect(parse(['--help', '--max-images', '0']).help).toBe(true);
  expect(parse(['info', '-h'])).toMatchObject({ help: true, command: 'info' });
  expect(parse(['--version', '--nonsense']).version).toBe(true);
  expect(parse(['version']).version).toBe(true);
});

test('help, another word for --help, of a command as well', () => {
  expect(parse(['help'])).toMatchObject({ help: true, named: false });
  expect(parse(['help', 'info'])).toMatchObject({ help: true, named: true, command: 'info' });
  expect(parse(['info', 'help', '--help'])).toMatchObject({ help: true, command: 'info' });
  expect(problemsOf(['hlep'])[0]).toStartWith('"hlep" is not a command, did you mean help?');
});

describe('variables that are no options', () => {
  const warningsOf = (env: Record<string, string>): readonly string[] => parse([], env).warnings;

  test.each([
    ['OP_PRECISON', 'OP_PRECISION'],
    ['OP_PORT', 'OP_LISTEN=:PORT'],
    ['OP_HOST', 'OP_LISTEN=HOST:PORT'],
  ])('%s, a warning with what was probably meant', (name, near) => {
    expect(warningsOf({ [name]: '1' })).toEqual([
      `the variable ${name} means nothing here, did you mean ${near}?`,
    ]);
  });

  test('others, one line with their names and nothing of their values', () => {
    const others = Array.from({ length: 6 }, (_, i) => [`OP_SOMETHING_${i}`, 'secret'] as const);
    expect(warningsOf(Object.fromEntries(others))).toEqual([
      'no option belongs to OP_SOMETHING_0, OP_SOMETHING_1, OP_SOMETHING_2, OP_SOMETHING_3, OP_SOMETHING_4 and 1 more; --help lists the variables that are read',
    ]);
  });

  test('what Kubernetes sets for a service called op, and empty ones, nothing', () => {
    const links = {
      OP_SERVICE_HOST: '10.0.0.1',
      OP_SERVICE_PORT_GRPC: '52001',
      OP_PORT: 'tcp://10.0.0.1:52001',
      OP_PORT_52001_TCP: 'tcp://10.0.0.1:52001',
      OP_PORT_52001_TCP_ADDR: '10.0.0.1',
      OP_WHATEVER: '',
    };
    expect(warningsOf(links)).toEqual([]);
  });
});

describe('options without effect', () => {
  test.each([
    ['--unregister-on-exit', '--unregister-on-exit has no effect without --register'],
    ['--name a --replace', '--name, --replace have no effect without --register'],
    ['--url-fetch off --url-timeout 1s', '--url-timeout has no effect with --url-fetch off'],
    ['--device wasm --max-batch 4', '--max-batch has no effect with --device wasm'],
    ['--precision int8 --adapter 0', '--adapter has no effect with --precision int8, which'],
    ['--device webgpu --cache-dir /a', '--cache-dir has no effect with --device webgpu: nothing'],
    [
      '--register http://a:5000 --api v0.1 --docker-image a --author b',
      '--docker-image, --author have no effect with --api v0.1',
    ],
    ['register --to http://a:5000 --instance b', '--instance has no effect without --docker-image'],
  ])('%s, a warning', (words, warning) => {
    expect(parse(words.split(' ')).warnings).toEqual([expect.stringContaining(warning)]);
  });

  test.each([
    '--register http://a:5000 --unregister-on-exit',
    '--api auto --replace=off --url-fetch off --url-timeout 30s',
    'register --to http://a:5000 --api v0.2 --docker-image a --name b --author c',
    'info --device webgpu --adapter 0',
    'check --image a',
  ])('%s, nothing', (words) => {
    expect(parse(words.split(' ')).warnings).toEqual([]);
  });

  test.each([
    [['--adapter', '0'], '--adapter has no effect'],
    [
      ['--max-batch', '4', '--max-batch-wait', '1s'],
      '--max-batch, --max-batch-wait have no effect',
    ],
    // Without a GPU there was something to look for and to remember, all the same.
    [['--allow-software-gpu', '--cache-dir', '/a', '--threads', '2'], undefined],
    [['--max-batch', '32', '--graph-capture', 'auto'], undefined],
    // Told already, or sure to run on a GPU.
    [['--device', 'wasm', '--adapter', '0'], undefined],
    [['--precision', 'int8', '--adapter', '0'], undefined],
    [['--device', 'webgpu', '--adapter', '0'], undefined],
  ])('%j, on the CPU after all: %s', (words, said) => {
    expect(parse(words).idleOnCpu).toBe(said);
  });

  test('a variable is named as such', () => {
    const { warnings } = parse(['--device', 'wasm'], { OP_ADAPTER: '0', OP_MAX_BATCH: '32' });
    expect(warnings).toEqual(['OP_ADAPTER has no effect with --device wasm']);
  });
});

test('nameAsGiven, names the variable where that set the option, and leaves commands alone', () => {
  const env = { OP_MODEL: '/a b/x.onnx', OP_PRECISION: 'INT8', OP_THREADS: '99', OP_LISTEN: 'a:1' };
  const { nameAsGiven } = parse(['--listen', 'a:2'], env);
  for (const [said, heard] of [
    ['--model /a b/x.onnx: there is no such file', 'OP_MODEL=/a b/x.onnx: there is no such file'],
    ['a model with --model FILE', 'a model with OP_MODEL FILE'],
    ['--threads 99: at most 16', 'OP_THREADS=99: at most 16'],
    ['--threads 991 and --thread-s', 'OP_THREADS 991 and --thread-s'],
    ['a:2 of --listen is not', 'a:2 of --listen is not'],
    ['--device webgpu: leave it', '--device webgpu: leave it'],
    [
      '--precision int8: give --precision fp32, or run `x --model FILE --precision int8`',
      'OP_PRECISION=int8: give OP_PRECISION=fp32, or run `x --model FILE --precision int8`',
    ],
  ] as const)
    expect(nameAsGiven(said)).toBe(heard);
});

describe('endpoint', () => {
  test.each([
    ['127.0.0.1:80', '127.0.0.1', 80],
    ['edge-7.local:52001', 'edge-7.local', 52001],
    ['phantoscope_encoder_1:80', 'phantoscope_encoder_1', 80],
    ['[::1]:65535', '::1', 65535],
    ['host.:1', 'host.', 1],
  ])('%s', (text, host, port) => {
    expect(parseEndpoint(text)).toEqual({ value: { host, port, text } });
  });

  test.each([
    [':52001', 'has no host'],
    ['127.0.0.1', 'has no port'],
    ['127.0.0.1:', 'has no port'],
    ['127.0.0.1:0', 'has the port "0"'],
    ['127.0.0.1:65536', 'has the port "65536"'],
    ['127.0.0.1:8o', 'has the port "8o"'],
    ['127.0.0.1:-1', 'has the port "-1"'],
    ['::1:80', 'brackets'],
    ['[::1]', 'has no port'],
    ['[]:80', 'has no host'],
    ['[127.0.0.1]:80', 'has "127.0.0.1" in brackets, which are for IPv6 addresses only'],
    ['[localhost]:80', 'has "localhost" in brackets'],
    ['[fe80::1%lo]:80', 'has the zone "%lo"'],
    ['http://a:80', 'scheme'],
    ['a b:80', 'neither a name nor an address'],
    ['999.1.1.1:80', 'neither a name nor an address'],
    ['-a:80', 'neither a name nor an address'],
    ['a:80\n', 'has the port'],
    ['', 'is empty'],
  ])('%j is refused', (text, words) => {
    expect(parseEndpoint(text)).toEqual({ problem: expect.stringContaining(words) });
  });

  test('listen, no host or * is every interface and port 0 is allowed', () => {
    expect(parseListen(':80')).toMatchObject({ value: { host: '', port: 80 } });
    expect(parseListen('*:80')).toMatchObject({ value: { host: '', port: 80 } });
    expect(parseListen('127.0.0.1:0')).toMatchObject({ value: { port: 0 } });
    expect(parseListen('127.0.0.1')).toMatchObject({ problem: 'has no port' });
    expect(parseListen('[::]:80')).toMatchObject({ value: { host: '::', port: 80 } });
    expect(parseListen('[127.0.0.1]:80')).toEqual({ problem: expect.stringContaining('brackets') });
  });
});

describe('option types', () => {
  test.each([
    ['100MiB', 104857600],
    ['100mb', 104857600],
    ['64k', 65536],
    ['1048576', 1048576],
    ['1 GiB', 1073741824],
  ])('bytes, %s', (text, value) => {
    expect(bytes(1, 2 ** 40).parse(text)).toEqual({ value });
  });

  test.each([
    ['500ms', 500],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['2h', 7_200_000],
  ])('duration, %s', (text, value) => {
    expect(duration(0, 1e9).parse(text)).toEqual({ value });
  });

  test.each(['5', '-1s', '1d', 's', '1e3s'])('duration, %s is refused', (text) => {
    expect(duration(0, 1e9).parse(text)).toHaveProperty('problem');
  });

  test.each(['', '-11', '1.5', '0x10', '1e3', ' 1', '99999999999999999'])(
    'integer, %j is refused',
    (text) => {
      expect(integer(-10, 1e6).parse(text)).toHaveProperty('problem');
    },
  );

  test('choice, upper case is as good; list, entries are trimmed and checked', () => {
    expect(choice('fp32', 'int8').parse('INT8')).toEqual({ value: 'int8' });
    const entries = list('L', 'l', (entry) => (entry === 'bad' ? 'holds bad' : undefined));
    expect(entries.parse(' a, b,,c ')).toEqual({ value: ['a', 'b', 'c'] });
    expect(entries.parse('a,bad')).toEqual({ problem: 'holds bad' });
  });
});

test.each([
  ['https://page.example', true],
  ['http://localhost:8080', true],
  ['https://page.example/', false],
  ['https://page.example/path', false],
  ['page.example', false],
])('--cors-origin %s', (origin, allowed) => {
  expect(problemsOf(['--cors-origin', origin]).length === 0).toBe(allowed);
});

test('lists, flags add up', () => {
  const argv = [
    '--cors-origin',
    'https://a.example',
    '--cors-origin=https://b.example,https://c.example',
  ];
  expect(configOf(argv).corsOrigin).toHaveLength(3);
});

test('suggest, near misses only', () => {
  const flags = ['--endpoint', '--threads', '--device'];
  expect(suggest('--endpiont', flags)).toBe('--endpoint');
  expect(suggest('--thread', flags)).toBe('--threads');
  expect(suggest('--quantum', flags)).toBeUndefined();
});

describe('the table', () => {
  test.each(optionRows.map(([name, row]) => [name, row] as const))('%s', (name, row) => {
    expect(flagOf(name)).toMatch(/^--[a-z]+(-[a-z]+)*$/);
    expect(variableOf(name)).toBe(`OP_${flagOf(name).slice(2).replaceAll('-', '_').toUpperCase()}`);
    expect(row.description).toMatch(/^[A-Z].*\.$/);
    expect(row.commands.filter((command) => !commands.includes(command))).toEqual([]);
    // A default is a value that could have been typed.
    if (row.fallback !== undefined && row.fallbackText === undefined)
      expect<unknown>(row.type.parse(row.type.format(row.fallback ?? {}))).toEqual({
        value: row.fallback,
      });
    for (const command of row.commands)
      expect(optionsHelp(command, 100)).toContain(`${flagOf(name)} `);
    expect(optionsMarkdown()).toContain(`| \`${variableOf(name)}\` |`);
  });

  test('help, no line is longer than the terminal is wide', () => {
    for (const command of commands)
      for (const line of optionsHelp(command, 90).split('\n')) expect(line.length).toBeLessThan(91);
  });
});
