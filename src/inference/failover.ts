/** What outlives an engine: when a GPU is lost, its work is done again on what replaces it. */
import { atMost } from '../at-most.ts';
import { OperatorError } from '../errors.ts';
import type { Tell } from '../log.ts';
import type { Engine } from './engine.ts';
import { type Ran, ReplacedError, type Running } from './running.ts';

/** @param reason - why the one before it was lost */
export type OpenNext<Model> = (reason: Error) => Promise<Running<Model>>;

export interface Failover<Model> {
  /** False while a replacement is being opened. */
  readonly available: boolean;
  /** The engine at work. */
  readonly current: Running<Model>;
  /** Of the engine at work, see `Engine`. */
  readonly concurrency: number;
  readonly maxBatch: number;
  /**
   * @param inputs - as `Engine.run` has them
   * @throws ReplacedError, OperatorError NOT_READY when no engine is left, and what the run failed with
   */
  run(inputs: readonly Float32Array[]): Promise<Ran<Model>>;
  /** Settles with the reason when no engine is left. */
  readonly lost: Promise<Error>;
  close(): Promise<void>;
}

export interface FailoverOptions<Model> {
  readonly first: Running<Model>;
  /**
   * What to open in turn, each when the one before it is lost or cannot be opened. The last one is opened again and again,
   * each time for an engine that has been at work for `soundMs`: losing one sooner would only be repeated.
   */
  readonly next: readonly OpenNext<Model>[];
  /** Milliseconds. @default 10 minutes */
  readonly soundMs?: number;
  /** Whether an engine gives usable rows for an image that is known. Asked when a GPU has given an unusable one. */
  readonly answersWell?: (running: Running<Model>) => Promise<boolean>;
  readonly tell: Tell;
}

const tenMinutes = 600_000;
/** Longest that `close` waits for an engine that is being opened, in milliseconds. */
const openingMs = 2000;

/**
 * A failed run on a GPU counts as the loss of the device: out of memory, a shader that does not compile and a driver that
 * went away all show themselves so. On the CPU a failed run is that batch's own.
 */
export function createFailover<Model>(options: FailoverOptions<Model>): Failover<Model> {
  const { tell, soundMs = tenMinutes, answersWell = async () => true } = options;
  const next = [...options.next];
  const last = next.at(-1);
  const lost = Promise.withResolvers<Error>();
  let current = options.first;
  let closed = false;
  /** When `current` began, or when what is to follow it was last opened. */
  let since = performance.now();
  /** Settles when the engine being replaced has a successor; undefined while all is well. */
  let replacing: Promise<void> | undefined;

  function successor(): OpenNext<Model> | undefined {
    if (next.length > 0) return next.shift();
    return performance.now() - since >= soundMs ? last : undefined;
  }

  async function replace(reason: Error): Promise<void> {
    tell(`${name(current)} is lost: ${reason.message}`, 'warn');
    await current.engine.close().catch(() => {});
    for (let open = successor(); open && !closed; open = successor()) {
      since = performance.now();
      try {
        const opened = await open(reason);
        if (closed) {
          await opened.engine.close();
          break;
        }
        use(opened);
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
    if (engine !== current.engine) return;
    replacing ??= replace(reason).then(() => {
      replacing = undefined;
    });
    await replacing;
  }

  function use(running: Running<Model>): void {
    const { engine } = running;
    current = running;
    void engine.lost.then((reason) => {
      if (!closed) lose(engine, reason).catch(() => {});
    });
  }
  use(options.first);

  /** A row of a GPU that is no vector may be the image's fault, or the GPU has come to give nothing else. */
  async function rowsOf(
    running: Running<Model>,
    inputs: readonly Float32Array[],
  ): Promise<Float32Array[]> {
    const { engine } = running;
    const rows = await engine.run(inputs);
    if (engine.device === 'webgpu' && !rows.every(isUsable) && !(await answersWell(running)))
      throw new Error('what it gives are no vectors');
    return rows;
  }

  async function run(inputs: readonly Float32Array[]): Promise<Ran<Model>> {
    if (replacing !== undefined) {
      await replacing;
      throw new ReplacedError('the engine was replaced');
    }
    const running = current;
    const { engine, model } = running;
    try {
      return { rows: await rowsOf(running, inputs), model };
    } catch (error) {
      const gone = engine.device === 'webgpu' || running !== current || (await isLost(engine));
      if (!gone || closed) throw error;
      await lose(engine, error as Error);
      throw new ReplacedError('the engine was replaced', { cause: error });
    }
  }

  return {
    get concurrency() {
      return current.engine.concurrency;
    },
    get maxBatch() {
      return current.engine.maxBatch;
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
      await current.engine.close();
    },
  };
}

/** Its runs may be told of the end before `lost` is. */
const isLost = (engine: Engine): Promise<boolean> =>
  Promise.race([engine.lost.then(() => true), Bun.sleep(0).then(() => false)]);

const name = ({ engine }: Running<unknown>): string => `${engine.name} on ${engine.device}`;

/** Something, and all of it numbers. */
export function isUsable(row: Float32Array): boolean {
  let sum = 0;
  for (const value of row) sum += Math.abs(value);
  return sum > 0 && Number.isFinite(sum);
}
