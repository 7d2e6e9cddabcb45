/** Options that were given and that nobody looks at, because of another one: nothing is wrong, but something else was meant. */
import { flagOf } from './option.ts';
import { type Config, type OptionName, options } from './options.ts';

interface Rule {
  readonly commands: readonly string[];
  readonly holds: (config: Config) => boolean;
  /** Completes "--adapter has no effect ". */
  readonly why: string;
  readonly idle: readonly OptionName[];
}

const ofImages: readonly OptionName[] = ['author', 'description', 'instance'];
const ofRunningOnGpus: readonly OptionName[] = [
  ...(['adapter', 'graphCapture', 'maxBatch', 'maxBatchWait'] as const),
];
/** With those that concern the choice. */
const ofGpus: readonly OptionName[] = [...ofRunningOnGpus, 'allowSoftwareGpu', 'cacheDir'];

const rules: readonly Rule[] = [
  {
    commands: ['serve'],
    holds: ({ register }) => register === undefined,
    why: 'without --register',
    idle: [
      ...(['unregisterOnExit', 'api', 'name', 'replace', 'allowUntrained', 'dockerImage'] as const),
      ...ofImages,
    ],
  },
  {
    commands: ['serve', 'register'],
    holds: ({ api }) => api === 'v0.1',
    why: 'with --api v0.1, which starts no operators',
    idle: ['dockerImage', ...ofImages],
  },
  {
    commands: ['serve', 'register'],
    holds: ({ dockerImage }) => dockerImage === undefined,
    why: 'without --docker-image',
    idle: ofImages,
  },
  {
    commands: ['serve'],
    holds: ({ urlFetch }) => urlFetch === 'off',
    why: 'with --url-fetch off',
    idle: [
      ...(['urlAllow', 'urlConnectTimeout', 'urlFirstByteTimeout', 'urlTimeout'] as const),
      ...(['urlMaxRedirects', 'urlConcurrency', 'maxFetchedBytes'] as const),
    ],
  },
  {
    commands: ['serve', 'info'],
    holds: ({ device }) => device === 'wasm',
    why: 'with --device wasm',
    idle: ofGpus,
  },
  {
    commands: ['serve', 'info'],
    holds: ({ precision }) => precision === 'int8',
    why: 'with --precision int8, which runs on the CPU',
    idle: ofGpus,
  },
  {
    commands: ['serve', 'info'],
    holds: ({ device }) => device === 'webgpu',
    why: 'with --device webgpu: nothing is measured',
    idle: ['cacheDir'],
  },
];

/**
 * @param given - options that a flag or a variable has set
 * @returns sentences for the log; each option is in the first that fits
 */
export function withoutEffect(
  command: string,
  config: Config,
  given: ReadonlySet<OptionName>,
): string[] {
  const left = new Set([...given].filter((name) => !isDefault(name, config)));
  return rules.flatMap(({ commands, holds, why, idle }) => {
    if (!commands.includes(command) || !holds(config)) return [];
    const found = idle.filter((name) => left.delete(name));
    if (found.length === 0) return [];
    return [`${haveNoEffect(found)} ${why}`];
  });
}

/**
 * Options that turn out to have no effect when the network runs on the CPU after all.
 * @returns the beginning of a sentence, "--adapter, --max-batch have no effect"; undefined when there are none, and when
 *   `withoutEffect` has told of them already
 */
export function idleOnCpu(config: Config, given: ReadonlySet<OptionName>): string | undefined {
  if (config.device !== 'auto' || config.precision === 'int8') return undefined;
  const idle = ofRunningOnGpus.filter((name) => given.has(name) && !isDefault(name, config));
  return idle.length === 0 ? undefined : haveNoEffect(idle);
}

const haveNoEffect = (names: readonly OptionName[]): string =>
  `${names.map(flagOf).join(', ')} ${names.length === 1 ? 'has' : 'have'} no effect`;

const isDefault = (name: OptionName, config: Config): boolean =>
  JSON.stringify(config[name]) === JSON.stringify(options[name].fallback);
