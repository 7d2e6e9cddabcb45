/** `info`: opens the model as `serve` would, and says what came of it. */
import { describeGpu } from '../inference/webgpu/describe-gpu.ts';
import { describeDrivers } from '../inference/webgpu/drivers.ts';
import { createLog } from '../log.ts';
import type { Manifest } from '../model/manifest.ts';
import { presentPrecisions } from '../model/open-model.ts';
import { commit, version } from '../version.ts';
import type { CommandContext } from './command.ts';

export async function info({
  config,
  warnings,
  idleOnCpu,
  nameAsGiven,
  openEmbedder,
  print,
}: CommandContext): Promise<number> {
  const log = await createLog({ format: config.logFormat, level: config.logLevel, fd: 2 });
  for (const warning of warnings) log.warn(warning);
  let noGpu: string | undefined;
  const embedder = await openEmbedder({ ...config, idleOnCpu }, (message, level = 'info') => {
    // What was looked for in vain is a line of the table: once is enough.
    if (level === 'info' && message.includes(describeDrivers())) noGpu = nameAsGiven(message);
    else log[level](nameAsGiven(message));
  });
  const { manifest } = embedder;
  const { modelId, precision, engine, device, threads } = embedder.info;
  const there = presentPrecisions(config.model);
  const variants = (there.length > 0 ? there : Object.keys(manifest.variants)).join(', ');
  const lines: Readonly<Record<string, string>> = {
    'model id': modelId,
    architecture: manifest.architecture,
    weights: describeWeights(manifest),
    licence: manifest.source.licence,
    precision: `${precision} (of ${variants})`,
    vector: `${manifest.dimension} numbers, ${manifest.metricType}`,
    device,
    engine,
    threads: String(threads),
    ...(config.device === 'wasm' ? {} : withReason(await describeGpu(embedder.gpu), noGpu)),
    endpoint: config.endpoint.text,
    version: `${version} (commit ${commit})`,
    runtime: `Bun ${Bun.version}, ${process.platform}-${process.arch}`,
  };
  for (const [name, value] of Object.entries(lines)) print(`${`${name}:`.padEnd(14)}${value}`);
  await embedder.close();
  await log.close();
  return 0;
}

function withReason(gpu: Record<string, string>, noGpu: string | undefined): typeof gpu {
  if (noGpu === undefined) return gpu;
  const { adapters = '' } = gpu;
  return { ...gpu, adapters: adapters.startsWith('none; ') ? noGpu : `${adapters}; ${noGpu}` };
}

/**
 * Where the weights came from, which is all that is known: that a file holds trained ones only its publisher can say. Random
 * ones were made by `npm run model`.
 */
export function describeWeights({ trained, source }: Pick<Manifest, 'trained' | 'source'>): string {
  const { description, sha256 } = source;
  if (!trained) return `${description}; the vectors mean nothing`;
  return sha256 ? `from ${description} (SHA-256 ${sha256})` : `from ${description}`;
}
