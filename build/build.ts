/** `npm run build`: writes dist/resnet50-encoder, with the model inside. */
import { parseArgs } from 'node:util';
import { enterCallersFolder } from '../model/callers-folder.ts';
import { ModelError } from '../model/errors.ts';
import { defaultCacheDir } from '../src/cache-dir.ts';
import { ConfigError } from '../src/errors.ts';
import { precisions } from '../src/model/manifest.ts';
import { buildExecutable } from './build-executable.ts';
import { embeddedModel } from './embedded-model.ts';
import { preparedModel } from './prepared-model.ts';
import { commit } from './repository.ts';
import { parseTargets, targets } from './targets.ts';

const help = `Usage: npm run build -- [OPTIONS]

Writes dist/resnet50-encoder, one executable with the model inside, its bill of materials (.cdx.json)
and SHA256SUMS.

  --model FILE         ONNX file of the model; its manifest lies beside it
                       (default: the model prepared before, or else made of the published weights)
  --weights FILE|URL   make the model of these weights first
  --no-model           put no model inside; it is then started with --model FILE
  --precision P        variants to put inside: fp32, int8, fp16 or all (default: fp32)
  --release            refuse random (untrained) weights
  --allow-untrained    with --release: take them all the same
  --target T[,T]       for other machines, written as dist/resnet50-encoder-T: all, or of
${targets.map(({ name }) => `                         ${name}`).join('\n')}
  --out FILE           write the executable here instead, and nothing else
  --commit ID          commit that --version prints (default: that of the repository)
  --cache-dir DIR      where downloads and prepared models are kept
                       (default: resnet50-encoder in XDG_CACHE_HOME or ~/.cache)
  --offline            never use the network
`;

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
      commit: { type: 'string', default: commit() },
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
  const [source, other] = (['model', 'weights', 'no-model'] as const).filter(
    (name) => values[name],
  );
  if (other) throw new ConfigError(`--${source} and --${other}: give one of them`);
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
  const cacheDir = values['cache-dir'] ?? defaultCacheDir();
  for (const machine of machines)
    await buildExecutable(machine, {
      model,
      commit: values.commit,
      out: values.out,
      runtime: { cacheDir, offline: values.offline, tell },
    });
}

if (import.meta.main) {
  enterCallersFolder('build');
  main().catch((error: unknown) => {
    const { code, message, syscall } = error as NodeJS.ErrnoException;
    const usage = error instanceof ConfigError || code?.startsWith('ERR_PARSE_ARGS');
    // A full disk or a folder that may not be written is no fault of the program's.
    const plain = usage || error instanceof ModelError || syscall !== undefined;
    console.error(plain ? `npm run build: ${message}` : error);
    process.exit(usage ? 2 : 1);
  });
}
