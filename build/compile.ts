/** Compiles src/ into one executable and appends the model to it. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import packageJson from '../package.json' with { type: 'json' };
import type { Manifest, Precision } from '../src/model/manifest.ts';
import { payloadAlignment, payloadTail } from '../src/model/payload.ts';
import { workerEntries } from '../src/threads.ts';

export const repository: string = join(import.meta.dir, '..');

export interface EmbeddedModel {
  readonly manifest: Manifest;
  /** ONNX file of each variant to embed. */
  readonly files: Partial<Record<Precision, string>>;
}

export interface CompileOptions {
  /** `linux-x64`, `linux-arm64-musl` …; undefined for this machine. */
  readonly target?: string | undefined;
  readonly outfile: string;
  readonly model?: EmbeddedModel | undefined;
  /** For tests that exchange a module. */
  readonly plugins?: Bun.BunPlugin[] | undefined;
}

/** Writes `outfile`; nothing half-written is left under that name. */
export async function compile(options: CompileOptions): Promise<void> {
  const temporary = `${options.outfile}.tmp`;
  rmSync(temporary, { force: true });
  const result = await Bun.build({
    entrypoints: ['src/main.ts', ...workerEntries.map((entry) => `src/${entry}.ts`)].map((entry) =>
      join(repository, entry),
    ),
    root: join(repository, 'src'),
    target: 'bun',
    format: 'esm',
    minify: true,
    bytecode: true,
    conditions: ['node'],
    plugins: options.plugins ?? [],
    define: {
      BUILD_VERSION: JSON.stringify(packageJson.version),
      BUILD_COMMIT: JSON.stringify(commit()),
    },
    compile: {
      ...(options.target ? { target: `bun-${options.target}` as Bun.Build.CompileTarget } : {}),
      outfile: temporary,
      // Files lying beside the executable must not change what it does.
      autoloadDotenv: false,
      autoloadBunfig: false,
    },
  });
  if (!result.success)
    throw new AggregateError(result.logs, 'the executable could not be compiled');
  if (options.model) appendModel(temporary, options.model);
  chmodSync(temporary, 0o755);
  renameSync(temporary, options.outfile);
}

/** Appends the payload that `src/model/payload.ts` reads. */
function appendModel(executable: string, model: EmbeddedModel): void {
  const variants: Partial<Record<Precision, { offset: number; length: number }>> = {};
  for (const [precision, file] of Object.entries(model.files)) {
    const end = statSync(executable).size;
    const offset = Math.ceil(end / payloadAlignment) * payloadAlignment;
    appendFileSync(executable, new Uint8Array(offset - end));
    appendFile(executable, file);
    variants[precision as Precision] = { offset, length: statSync(file).size };
  }
  appendFileSync(executable, payloadTail({ manifest: model.manifest, variants }));
}

function appendFile(target: string, source: string): void {
  const from = openSync(source, 'r');
  const to = openSync(target, 'a');
  const chunk = new Uint8Array(4 << 20);
  try {
    for (let n = readSync(from, chunk); n > 0; n = readSync(from, chunk))
      writeSync(to, chunk, 0, n);
  } finally {
    closeSync(from);
    closeSync(to);
  }
}

/** The commit being built, with `-dirty` when the tree differs from it; `unknown` outside a repository. */
export function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: dirname(import.meta.dir),
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .toString()
      .trim();
  try {
    return `${git('rev-parse', '--short=12', 'HEAD')}${git('status', '--porcelain') ? '-dirty' : ''}`;
  } catch {
    return 'unknown';
  }
}
