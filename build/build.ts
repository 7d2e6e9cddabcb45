/** `npm run build`: writes dist/resnet50-encoder, with the model inside. */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { hashFile } from '../model/files/hash-file.ts';
import { defaultCacheDir } from '../src/cache-dir.ts';
import { ConfigError } from '../src/errors.ts';
import { type Precision, parseManifest, precisions } from '../src/model/manifest.ts';
import type { EmbeddedModel } from './append-model.ts';
import { billOfMaterials } from './bill-of-materials.ts';
import { bundledPackages } from './bundled-packages.ts';
import { recordChecksums } from './checksums.ts';
import { compile } from './compile.ts';
import { preparedModel } from './prepared-model.ts';
import { commit, repository } from './repository.ts';
import { installedRuntime, runtimeFor } from './runtime.ts';
import { parseTargets, type Target, targets } from './targets.ts';

const help = `Usage: npm run build -- [options]

Writes dist/resnet50-encoder, one executable with the model inside, its bill of materials (.cdx.json) and SHA256SUMS.

  --model FILE         embed this ONNX file (its manifest lies beside it)
  --weights FILE|URL   prepare the model from these weights first
  --no-model           embed no model; start it with --model FILE
  --precision P        variants to embed: fp32, int8, fp16 or all (default fp32)
  --release            refuse untrained weights
  --allow-untrained    with --release: take untrained weights all the same
  --target T[,T]       for other machines, or all: ${targets.map(({ name }) => name).join(', ')};
                       written as dist/resnet50-encoder-T
  --out FILE           write the executable here instead, and nothing else
  --cache-dir DIR      where downloads and prepared models are kept
  --offline            never use the network
`;

/** The model's files of the wanted precisions, checked against what is asked of a release. */
export function embeddedModel(onnx: string, wanted: string, release: boolean): EmbeddedModel {
  const manifestPath = join(dirname(onnx), `${basename(onnx, '.onnx')}.json`);
  const manifest = parseManifest(JSON.parse(readFileSync(manifestPath, 'utf8')), manifestPath);
  if (release && !manifest.trained)
    throw new ConfigError(
      `--release: ${onnx} has untrained weights; prepare trained ones (npm run model -- prepare --weights FILE), or add --allow-untrained`,
    );
  const has = precisions.filter((precision) => manifest.variants[precision]);
  const missing = wanted === 'all' ? [] : has.includes(wanted as Precision) ? [] : [wanted];
  if (missing.length > 0)
    throw new ConfigError(
      `--precision ${wanted}: ${onnx} has only ${has.join(', ')}; npm run model -- quantize makes int8`,
    );
  const files: Partial<Record<Precision, string>> = {};
  for (const precision of wanted === 'all' ? has : [wanted as Precision]) {
    const variant = manifest.variants[precision];
    if (variant) files[precision] = join(dirname(onnx), variant.file);
  }
  return { manifest, files };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      model: { type: 'string' },
      weights: { type: 'string' },
      'no-model': { type: 'boolean' },
      precision: { type: 'string', default: 'fp32' },
      release: { type: 'boolean', default: false },
      'allow-untrained': { type: 'boolean', default: false },
      target: { type: 'string' },
      out: { type: 'string' },
      'cache-dir': { type: 'string' },
      offline: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  if (![...precisions, 'all'].includes(values.precision))
    throw new ConfigError(
      `--precision ${values.precision}: not one of ${precisions.join(', ')}, all`,
    );
  const tell = (line: string): void => console.error(line);
  const machines = values.target ? parseTargets(values.target) : [undefined];
  if (values.out && machines.length > 1)
    throw new ConfigError('--out: one file cannot hold several targets');
  const model = values['no-model']
    ? undefined
    : embeddedModel(
        await preparedModel({
          model: values.model,
          weights: values.weights,
          cacheDir: values['cache-dir'],
          offline: values.offline,
          tell,
        }),
        values.precision,
        values.release && !values['allow-untrained'],
      );
  for (const machine of machines) {
    const target = machine && {
      machine,
      runtime: runtimeFor(machine, {
        cacheDir: values['cache-dir'] ?? defaultCacheDir(),
        offline: values.offline,
        tell,
      }),
    };
    const name = machine ? `resnet50-encoder-${machine.name}` : 'resnet50-encoder';
    const outfile = values.out ?? join(repository, 'dist', `${name}${machine?.suffix ?? ''}`);
    const metafile = await compile({ outfile, target, model });
    const { bytes, sha256 } = await hashFile(outfile);
    const what = model
      ? `${model.manifest.architecture}, ${Object.keys(model.files).join(' and ')}${model.manifest.trained ? '' : ', UNTRAINED'}`
      : 'no model';
    tell(`${outfile}: ${(bytes / 1e6).toFixed(0)} MB, ${what}`);
    if (!values.out) await describe(outfile, name, { sha256, machine, model, metafile });
  }
}

interface Built {
  readonly sha256: string;
  readonly machine: Target | undefined;
  readonly model: EmbeddedModel | undefined;
  readonly metafile: Bun.BuildMetafile;
}

/** Writes the bill of materials beside the executable, and the checksums of both. */
async function describe(outfile: string, name: string, built: Built): Promise<void> {
  const { sha256, machine, model, metafile } = built;
  const bill = billOfMaterials({
    packages: await bundledPackages(metafile),
    runtime: machine?.runtime ?? installedRuntime(),
    target: machine?.name ?? `${process.platform}-${process.arch}`,
    commit: commit(),
    sha256,
    ...(model && {
      model: { manifest: model.manifest, precisions: Object.keys(model.files) as Precision[] },
    }),
  });
  const billFile = join(dirname(outfile), `${name}.cdx.json`);
  writeFileSync(billFile, `${JSON.stringify(bill, null, 2)}\n`);
  recordChecksums(dirname(outfile), {
    [basename(outfile)]: sha256,
    [basename(billFile)]: (await hashFile(billFile)).sha256,
  });
}

if (import.meta.main)
  main().catch((error: unknown) => {
    const usage =
      error instanceof ConfigError ||
      (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
    console.error(usage ? `npm run build: ${(error as Error).message}` : error);
    process.exit(usage ? 2 : 1);
  });
