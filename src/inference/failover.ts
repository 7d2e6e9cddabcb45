/** An engine that outlives the one beneath it: when a GPU is lost, its work is done again on what replaces it. */

import { atMost } from '../at-most.ts';
import { OperatorError } from '../errors.ts';
import type { Tell } from '../log.ts';
import type { Engine } from './engine.ts';

export type OpenNext = () => Promise<Engine>;

export interface FailoverEngine extends Engine {
  /** False while a replacement is being opened. */
  readonly available: boolean;
  /** The engine at work. */
  readonly current: Engine;
}

export interface FailoverOptions {
  readonly first: Engine;
  /**
   * What to open in turn, each when the one before it is lost or cannot be opened. The last one is opened again and again,
   * each time for an engine that has been at work for `soundMs`: losing one sooner would only be repeated.
   */
  readonly next: readonly OpenNext[];
  /** Milliseconds. @default 10 minutes */
  readonly soundMs?: number;
  readonly tell: Tell;
}

const tenMinutes = 600_000;
/** Longest that `close` waits for an engine that is being opened, in milliseconds. */
const openingMs = 2000;

/**
 * A failed run on a GPU counts as the loss of the device: out of memory, a shader that does not compile and a driver that
 * went away all show themselves so. On the CPU a failed run is that batch's own.
 */
export function createFailoverEngine(options: FailoverOptions): FailoverEngine {
  const { tell, soundMs = tenMinutes } = options;
  const next = [...options.next];
  const last = next.at(-1);
  const lost = Promise.withResolvers<Error>();
  let current = options.first;
  let closed = false;
  /** When `current` began, or when what is to follow it was last opened. */
  let since = performance.now();
  /** Settles when the engine being replaced has a successor; undefined while all is well. */
  let replacing: Promise<void> | undefined;

  function successor(): OpenNext | undefined {
    if (next.length > 0) return next.shift();
    return performance.now() - since >= soundMs ? last : undefined;
  }

  async function replace(reason: Error): Promise<void> {
    tell(`${name(current)} is lost: ${reason.message}`, 'warn');
    await current.close().catch(() => {});
    for (let open = successor(); open && !closed; open = successor()) {
      since = performance.now();
      try {
        const engine = await open();
        if (closed) {
          await engine.close();
          break;
        }
        use(engine);
        tell(`going on with ${name(current)}`);
        return;
      } catch (error) {
        tell(`no replacement: ${(error as Error).message}`, 'warn');
      }
    }
    lost.resolve(reason);
    // Whoever waited did nothing wrong: another operator can answer.
    throw new OperatorError('NOT_READY', 'the model can no longer be run; ask another operator', {
      cause: reason,
    });
  }

  /** Starts the replacement of `engine`, unless it has been replaced already; settles when there is a successor. */
  async function lose(engine: Engine, reason: Error): Promise<void> {
    await replacing;
    if (engine !== current) return;
    replacing ??= replace(reason).then(() => {
      replacing = undefined;
    });
    await replacing;
  }

  function use(engine: Engine): void {
    current = engine;
    void engine.lost.then((reason) => {
      if (!closed) lose(engine, reason).catch(() => {});
    });
  }
  use(options.first);

  async function run(inputs: readonly Float32Array[]): Promise<Float32Array[]> {
    await replacing;
    const engine = current;
    try {
      return await inBatches(engine, inputs);
    } catch (error) {
      const gone = engine.device === 'webgpu' || engine !== current || (await isLost(engine));
      if (!gone || closed) throw error;
      await lose(engine, error as Error);
      return run(inputs);
    }
  }

  return {
    get name() {
      return current.name;
    },
    get device() {
      return current.device;
    },
    get threads() {
      return current.threads;
    },
    get concurrency() {
      return current.concurrency;
    },
    get maxBatch() {
      return current.maxBatch;
    },
    get available() {
      return replacing === undefined;
    },
    get current() {
      return current;
    },
    lost: lost.promise,
    run,
    async close() {
      closed = true;
      // What is being opened may hang; it is closed if it is ever there.
      await atMost(openingMs, replacing?.catch(() => {}) ?? Promise.resolve());
      await current.close();
    },
  };
}

/** A batch gathered for one engine may be too large for the one that replaces it. */
async function inBatches(engine: Engine, inputs: readonly Float32Array[]): Promise<Float32Array[]> {
  const rows: Float32Array[] = [];
  for (let i = 0; i < inputs.length; i += engine.maxBatch)
    rows.push(...(await engine.run(inputs.slice(i, i + engine.maxBatch))));
  return rows;
}

/** Its runs may be told of the end before `lost` is. */
const isLost = (engine: Engine): Promise<boolean> =>
  Promise.race([engine.lost.then(() => true), Bun.sleep(0).then(() => false)]);

const name = (engine: Engine): string => `${engine.name} on ${engine.device}`;
