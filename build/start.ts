/**
 * `npm start`: prepares a model if there is none, builds the executable if it is out of date, and runs it. What it does not
 * know itself (`--endpoint`, `--log-level` …) goes to the executable.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Glob } from 'bun';
import { enterCallersFolder } from '../model/callers-folder.ts';
import { ModelError } from '../model/errors.ts';
import { endOnSignal } from '../model/files/end-on-signal.ts';
import { makeFolder } from '../model/files/folders.ts';
import { hashFile } from '../model/files/hash-file.ts';
import { defaultCacheDir } from '../src/cache-dir.ts';
import { optionRows } from '../src/config/options.ts';
import { parseCommandLine } from '../src/config/parse-command-line.ts';
import { ConfigError } from '../src/errors.ts';
import { findModel, manifestPathOf, precisionOf } from '../src/model/open-model.ts';
import { recordChecksums } from './checksums.ts';
import { compile } from './compile.ts';
import { embeddedModel } from './embedded-model.ts';
import { preparedModel } from './prepared-model.ts';
import { commit, repository } from './repository.ts';

// Not console.error, which Bun prints in red on a terminal.
const tell = (line: string): void => void process.stderr.write(`${line}\n`);

/** Takes `--name VALUE` or `--name=VALUE` out of `args`. */
function take(args: string[], name: string): string | undefined {
  const at = args.findIndex((arg) => arg === name || arg.startsWith(`${name}=`));
  if (at < 0) return undefined;
  const inline = args[at]?.includes('=') ?? false;
  const taken = args.splice(at, inline ? 1 : 2);
  const value = inline ? taken[0]?.slice(name.length + 1) : taken[1];
  if (!value) throw new ConfigError(`${name}: give a file or an address`);
  if (args.some((arg) => arg === name || arg.startsWith(`${name}=`)))
    throw new ConfigError(`${name}: is given twice`);
  return value;
}

/** Names what the executable is made of: commit, sources, lock file and model. */
function fingerprint(onnx: string): string {
  const hash = createHash('sha256').update(commit());
  for (const sources of ['src/**/*', 'build/*.ts'])
    for (const file of [...new Glob(sources).scanSync(repository)].sort())
      hash.update(file).update(readFileSync(join(repository, file)));
  for (const file of ['package.json', 'package-lock.json'])
    hash.update(readFileSync(join(repository, file)));
  hash.update(readFileSync(manifestPathOf(onnx)));
  return hash.digest('hex');
}

/** Builds dist/resnet50-encoder unless it was made of the same parts. */
async function upToDate(onnx: string): Promise<string> {
  const executable = join(repository, 'dist/resnet50-encoder');
  const stamp = join(repository, 'dist/.made-of');
  const made = fingerprint(onnx);
  // `npm run build` writes the same file: its time tells whether it is still the one made here.
  const mark = (): string => `${made} ${statSync(executable).mtimeMs}`;
  if (existsSync(executable) && existsSync(stamp) && readFileSync(stamp, 'utf8') === mark())
    return executable;
  makeFolder(dirname(executable));
  const start = performance.now();
  await compile({ outfile: executable, model: embeddedModel(onnx, 'all', false) });
  await describeAnew(executable);
  writeFileSync(stamp, mark());
  tell(`Built dist/resnet50-encoder in ${((performance.now() - start) / 1000).toFixed(1)} s.`);
  return executable;
}

/** What `npm run build` wrote about the executable that lay here before is not true of this one. */
async function describeAnew(executable: string): Promise<void> {
  rmSync(`${executable}.cdx.json`, { force: true });
  const folder = dirname(executable);
  if (!existsSync(join(folder, 'SHA256SUMS'))) return;
  const { sha256 } = await hashFile(executable);
  recordChecksums(folder, { [basename(executable)]: sha256 });
}

function run(command: string, args: readonly string[]): void {
  // In a group of its own: a signal to the whole group would otherwise reach it twice, and the second ends it at once.
  const child = spawn(command, args, { stdio: 'inherit', detached: true });
  // npm passes on what it was sent, so one signal to the whole group comes twice here.
  let last = Number.NEGATIVE_INFINITY;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (performance.now() - last > 500) child.kill(signal);
      last = performance.now();
    });
  child.on('error', (error) => {
    console.error(`${command}: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}

const ownHelp = `Usage: npm start -- [OPTIONS]

Prepares a model where there is none, builds dist/resnet50-encoder and runs it.

  --weights FILE|URL|untrained
                              weights of the model: Keras HDF5 or torchvision safetensors; untrained
                              makes random ones, for trying out
                              (default: the model prepared before, or else the published weights)

All other options go to the executable:
`;

/** The executable would refuse the same, but only when it has been built. */
function readOptions(args: readonly string[], weights: string | undefined) {
  const commands = [...new Set(optionRows.flatMap(([, { commands }]) => commands))];
  const line = parseCommandLine(args, process.env, commands, ['--weights']);
  if (weights !== undefined && line.config.model !== undefined)
    throw new ConfigError(line.nameAsGiven('--model and --weights: only one of them'));
  return line;
}

async function main(args: string[]): Promise<void> {
  const dev = args.includes('--dev');
  enterCallersFolder(dev ? 'dev' : 'start');
  const weights = take(args, '--weights');
  const rest = args.filter((arg) => arg !== '--dev');
  const { config, help, nameAsGiven } = readOptions(rest, weights);
  if (help) {
    console.log(ownHelp);
    run(process.execPath, [join(repository, 'src/main.ts'), ...rest]);
    return;
  }
  const { model, precision } = config;
  const letSignals = endOnSignal((line) => tell(`${script}: ${line}`));
  let onnx: string;
  try {
    onnx = await preparedModel({ model, weights, precision, tell });
    findModel(onnx, precisionOf(onnx, precision));
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError(nameAsGiven(error.message)) : error;
  }
  const source = join(repository, 'src/main.ts');
  const [command, ...first] = dev
    ? [process.execPath, '--watch', source, '--model', onnx]
    : [await upToDate(onnx)];
  letSignals();
  run(command, [...first, ...rest]);
}

const script = process.argv.includes('--dev') ? 'npm run dev' : 'npm start';
main(process.argv.slice(2)).catch((thrown: unknown) => {
  const error = thrown as NodeJS.ErrnoException;
  const known = error instanceof ConfigError || error instanceof ModelError;
  const { code } = (error.cause ?? error) as NodeJS.ErrnoException;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  const hint = `; models are kept in ${defaultCacheDir()} (below XDG_CACHE_HOME) and take 200 MB`;
  // A full disk or a folder that may not be written is no fault of the program's.
  if (!known && !error.syscall) console.error(error);
  else for (const line of error.message.split('\n')) tell(`${script}: ${line}${full ? hint : ''}`);
  process.exit(error instanceof ConfigError ? 2 : 1);
});
