/** `npm run build`: writes dist/resnet50-encoder, with the model inside. */
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigError } from '../src/errors.ts';
import { type Precision, parseManifest, precisions } from '../src/model/manifest.ts';
import { compile, type EmbeddedModel, repository } from './compile.ts';
import { preparedModel } from './prepared-model.ts';

const help = `Usage: npm run build -- [options]

Writes dist/resnet50-encoder, one executable with the model inside.

  --model FILE         embed this ONNX file (its manifest lies beside it)
  --weights FILE|URL   prepare the model from these weights first
  --no-model           embed no model; start it with --model FILE
  --precision P        variants to embed: fp32, int8, fp16 or all (default fp32)
  --release            refuse untrained weights
  --allow-untrained    with --release: take untrained weights all the same
  --target T           for another machine: linux-arm64, linux-x64-baseline, linux-x64-musl, darwin-arm64, windows-x64 …
                       written as dist/resnet50-encoder-T
  --out FILE           write here instead
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
  const model = values['no-model']
    ? undefined
    : embeddedModel(
        await preparedModel({
          model: values.model,
          weights: values.weights,
          cacheDir: values['cache-dir'],
          offline: values.offline,
          tell: (line) => console.error(line),
        }),
        values.precision,
        values.release && !values['allow-untrained'],
      );
  const outfile =
    values.out ??
    join(repository, 'dist', `resnet50-encoder${values.target ? `-${values.target}` : ''}`);
  mkdirSync(dirname(outfile), { recursive: true });
  await compile({ outfile, target: values.target, model });
  const megabytes = (statSync(outfile).size / 1e6).toFixed(0);
  const what = model
    ? `${model.manifest.architecture}, ${Object.keys(model.files).join(' and ')}${model.manifest.trained ? '' : ', UNTRAINED'}`
    : 'no model';
  console.error(`${outfile}: ${megabytes} MB, ${what}`);
}

if (import.meta.main)
  main().catch((error: unknown) => {
    const usage =
      error instanceof ConfigError ||
      (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
    console.error(usage ? `npm run build: ${(error as Error).message}` : error);
    process.exit(usage ? 2 : 1);
  });
