/**
 * `npm start`: prepares a model if there is none, builds the executable if it is out of date, and runs it. What it does not
 * know itself (`--endpoint`, `--log-level` …) goes to the executable.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Glob } from 'bun';
import { compile } from './compile.ts';
import { embeddedModel } from './embedded-model.ts';
import { preparedModel } from './prepared-model.ts';
import { repository } from './repository.ts';

const tell = (line: string): void => console.error(line);

/** Takes `--name VALUE` or `--name=VALUE` out of `args`. */
function take(args: string[], name: string): string | undefined {
  const at = args.findIndex((arg) => arg === name || arg.startsWith(`${name}=`));
  if (at < 0) return undefined;
  const inline = args[at]?.split('=').slice(1).join('=');
  const [, value] = args.splice(at, inline ? 1 : 2);
  return inline || value;
}

/** Names what the executable is made of: sources, lock file and model. */
function fingerprint(onnx: string): string {
  const hash = createHash('sha256');
  for (const file of [...new Glob('{src/**/*,build/*.ts}').scanSync(repository)].sort())
    hash.update(file).update(readFileSync(join(repository, file)));
  for (const file of ['package.json', 'package-lock.json'])
    hash.update(readFileSync(join(repository, file)));
  hash.update(readFileSync(join(dirname(onnx), `${basename(onnx, '.onnx')}.json`)));
  return hash.digest('hex');
}

/** Builds dist/resnet50-encoder unless it was made of the same parts. */
async function upToDate(onnx: string): Promise<string> {
  const executable = join(repository, 'dist/resnet50-encoder');
  const stamp = join(repository, 'dist/.made-of');
  const made = fingerprint(onnx);
  if (existsSync(executable) && existsSync(stamp) && readFileSync(stamp, 'utf8') === made)
    return executable;
  mkdirSync(dirname(executable), { recursive: true });
  const start = performance.now();
  await compile({ outfile: executable, model: embeddedModel(onnx, 'all', false) });
  writeFileSync(stamp, made);
  tell(`Built dist/resnet50-encoder in ${((performance.now() - start) / 1000).toFixed(1)} s.`);
  return executable;
}

function run(command: string, args: readonly string[]): void {
  const child = spawn(command, args, { stdio: 'inherit' });
  // A terminal sends Ctrl-C to the whole group; the executable drains and this process waits for it.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('error', (error) => {
    console.error(`${command}: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}

const args = process.argv.slice(2);
const dev = args.includes('--dev');
const onnx = await preparedModel({ weights: take(args, '--weights'), tell });
if (dev) {
  const rest = args.filter((arg) => arg !== '--dev');
  run(process.execPath, ['--watch', join(repository, 'src/main.ts'), '--model', onnx, ...rest]);
} else run(await upToDate(onnx), args);
