/** Compiles src/ into one executable and appends the model to it. */
import { chmodSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { temporaryFolder } from '../model/files/abandoned.ts';
import { cannotWrite } from '../model/files/cannot-write.ts';
import { makeFolder } from '../model/files/folders.ts';
import packageJson from '../package.json' with { type: 'json' };
import { workerEntries } from '../src/threads.ts';
import { appendModel } from './append-model.ts';
import type { EmbeddedModel } from './embedded-model.ts';
import { packFiles } from './pack-files.ts';
import { commit, repository } from './repository.ts';
import type { Target } from './targets.ts';

export interface CompileOptions {
  readonly outfile: string;
  readonly model?: EmbeddedModel | undefined;
  /** Another machine, and where its Bun is. @default this machine, and the Bun that runs */
  readonly target?: { readonly machine: Target; readonly runtime: string } | undefined;
  /** What `--version` is to tell. @default the one that is checked out */
  readonly commit?: string | undefined;
  /** The program, from the repository's root; it starts the same threads. @default src/main.ts */
  readonly entry?: string | undefined;
  /** For tests that exchange a module. */
  readonly plugins?: Bun.BunPlugin[] | undefined;
}

/**
 * Writes `outfile`; nothing half-written is left under that name.
 * @returns what the bundler made it of
 */
export async function compile(options: CompileOptions): Promise<Bun.BuildMetafile> {
  const { outfile, model, target } = options;
  makeFolder(dirname(outfile));
  const staging = temporaryFolder(dirname(outfile), 'build');
  try {
    // Bun adds the suffix by itself.
    const compiled = join(staging, `${programName}${target?.machine.suffix ?? ''}`);
    const metafile = await bundle(join(staging, programName), options);
    if (model) appendModel(compiled, model);
    chmodSync(compiled, 0o755);
    renameSync(compiled, outfile);
    return metafile;
  } catch (error) {
    // Bun's bundler puts the code only into the message of what it has gathered.
    const said = [error, ...((error as Partial<AggregateError>).errors ?? [])].join(' ');
    const code = /\b(ENOSPC|EDQUOT)\b/.exec(said)?.[1];
    throw code ? cannotWrite(outfile, Object.assign(new Error(said), { code })) : error;
  } finally {
    rmSync(staging, { recursive: true });
  }
}

/** Goes into the executable, so it is the same whatever the file is called. */
const programName = 'resnet50-encoder';

async function bundle(outfile: string, options: CompileOptions): Promise<Bun.BuildMetafile> {
  const { target, plugins = [], entry = 'src/main.ts' } = options;
  const threads = workerEntries.map((thread) => `src/${thread}.ts`);
  const entries = [entry, ...threads].map((file) => join(repository, file));
  const result = await Bun.build({
    entrypoints: entries,
    root: join(repository, 'src'),
    target: 'bun',
    format: 'esm',
    minify: true,
    bytecode: true,
    conditions: ['node'],
    metafile: true,
    plugins: [...plugins, packFiles(target?.machine.gpu ?? true)],
    define: {
      // CommonJS packages would carry the path of this checkout; within the executable nothing lies beside them.
      __dirname: '"/"',
      __filename: '"/"',
      BUILD_VERSION: JSON.stringify(packageJson.version),
      BUILD_COMMIT: JSON.stringify(options.commit ?? commit()),
      BUILD_WITH_MODEL: String(options.model !== undefined),
    },
    compile: {
      ...(target ? { target: target.machine.bun, executablePath: target.runtime } : {}),
      outfile,
      // Files lying beside the executable must not change what it does.
      autoloadDotenv: false,
      autoloadBunfig: false,
    },
  });
  if (!result.success || !result.metafile)
    throw new AggregateError(result.logs, 'the executable could not be compiled');
  return result.metafile;
}
