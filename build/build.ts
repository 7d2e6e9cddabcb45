/** `npm run build`: writes dist/resnet50-encoder, with the model inside. */
import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { enterCallersFolder } from '../model/callers-folder.ts';
import { ModelError } from '../model/errors.ts';
import { endOnSignal } from '../model/files/end-on-signal.ts';
import { assertWritable } from '../model/files/folders.ts';
import { defaultCacheDir } from '../src/cache-dir.ts';
import { ConfigError } from '../src/errors.ts';
import { buildExecutable } from './build-executable.ts';
import {
  type BuildCommandOptions,
  buildHelp,
  parseBuildOptions,
  refusesUntrained,
} from './build-options.ts';
import { type EmbeddedModel, embeddedModel } from './embedded-model.ts';
import { preparedModel } from './prepared-model.ts';
import { commit } from './repository.ts';
import { runtimeFor } from './runtime.ts';
import { parseTargets } from './targets.ts';

// Not console.error, which Bun prints in red on a terminal.
const tell = (line: string): void => void process.stderr.write(`${line}\n`);

async function modelFor(options: BuildCommandOptions): Promise<EmbeddedModel> {
  const { model, weights, precision = 'fp32', 'cache-dir': cacheDir, offline } = options;
  const trainedOnly = refusesUntrained(options);
  const wanted = { model, weights, precision, cacheDir, offline, trainedOnly, tell };
  return embeddedModel(await preparedModel(wanted), precision, trainedOnly);
}

/** Said before minutes are spent. */
function assertOut(out: string): void {
  if (existsSync(out) && statSync(out).isDirectory())
    throw new ConfigError(`--out ${out}: that is a folder; give the file to write`);
  assertWritable(dirname(out), `--out ${out}`);
}

async function main(args: readonly string[]): Promise<void> {
  if (args[0] === 'help' || args.includes('--help') || args.includes('-h')) {
    console.log(buildHelp());
    return;
  }
  const options = parseBuildOptions(args);
  if (options.out !== undefined) assertOut(options.out);
  const machines = options.target ? parseTargets(options.target) : [undefined];
  const runtime = {
    cacheDir: options['cache-dir'] ?? defaultCacheDir(),
    offline: options.offline,
    tell,
  };
  // Before the model, which takes longer: what is missing is said at once.
  const made = machines.map(
    (machine) => machine && { machine, runtime: runtimeFor(machine, runtime) },
  );
  if (options['allow-untrained'] && !options.release)
    tell('warning: --allow-untrained has no effect without --release');
  const model = options['no-model'] ? undefined : await modelFor(options);
  const common = { model, commit: options.commit ?? commit(), out: options.out, tell };
  for (const target of made) await buildExecutable(target, common);
}

if (import.meta.main) {
  enterCallersFolder('build');
  endOnSignal((line) => tell(`npm run build: ${line}`));
  main(process.argv.slice(2)).catch((error: unknown) => {
    const { message, syscall } = error as NodeJS.ErrnoException;
    // A full disk or a folder that may not be written is no fault of the program's.
    const plain =
      error instanceof ConfigError || error instanceof ModelError || syscall !== undefined;
    if (plain) for (const line of message.split('\n')) tell(`npm run build: ${line}`);
    else console.error(error);
    process.exit(error instanceof ConfigError ? 2 : 1);
  });
}
