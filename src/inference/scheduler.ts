/**
 * The queue in front of an engine: first come first served, packed into batches. An idle engine is given what there is at
 * once, so a lone image never waits. While a batch runs, the next one is gathered until it is full or its first image has
 * waited long enough; handing it over before the engine is free only saves the hand-over, so a short wait costs nothing.
 * Abandoned entries leave before they are packed.
 */
import { OperatorError } from '../errors.ts';
import type { Failover } from './failover.ts';
import { ReplacedError } from './running.ts';

export interface Inference<Model> {
  /** The graph's output for this image, `[dimension]` float32, not normalised. */
  readonly features: Float32Array;
  /** The model that they are of. */
  readonly model: Model;
  /** Milliseconds from the call to the start of its batch, and from there to the result. */
  readonly queueMs: number;
  readonly inferMs: number;
}

export interface Scheduler<Model> {
  /**
   * @throws OperatorError: OVERLOADED when the queue is full, CANCELLED as soon as `signal` fires (a batch that has begun
   *   goes on for the others), INFERENCE_FAILED when the run fails, NOT_READY when no engine is left
   */
  infer(tensor: Float32Array, signal: AbortSignal): Promise<Inference<Model>>;
  /** Images waiting. */
  readonly queued: number;
}

interface Entry<Model> {
  readonly tensor: Float32Array;
  readonly signal: AbortSignal;
  readonly since: number;
  readonly resolve: (inference: Inference<Model>) => void;
  readonly reject: (error: OperatorError) => void;
}

export interface SchedulerOptions {
  /** Most images that may wait. */
  readonly maxQueue: number;
  /**
   * Milliseconds that an image may wait for others while the engine is busy with one batch and could take a second.
   * @default 0
   */
  readonly maxBatchWait?: number;
}

export function createScheduler<Model>(
  engine: Pick<Failover<Model>, 'concurrency' | 'maxBatch' | 'run'>,
  options: SchedulerOptions,
): Scheduler<Model> {
  const { maxQueue, maxBatchWait = 0 } = options;
  const queue: Entry<Model>[] = [];
  let running = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function dispatch(): void {
    clearTimeout(timer);
    while (running < engine.concurrency && queue.length > 0) {
      const patience = running > 0 && queue.length < engine.maxBatch ? waitLeft() : 0;
      if (patience > 0) {
        timer = setTimeout(dispatch, patience);
        return;
      }
      void run(queue.splice(0, engine.maxBatch));
    }
  }

  /** Milliseconds that the first entry may still wait for company. */
  const waitLeft = (): number =>
    maxBatchWait - (performance.now() - (queue[0]?.since ?? Number.NEGATIVE_INFINITY));

  /** Nothing is wrong with them: they are where they were before the others came, but for those that nobody waits for any more. */
  function putBack(batch: readonly Entry<Model>[]): void {
    queue.unshift(...batch.filter(({ signal }) => !signal.aborted));
    queue.sort((a, b) => a.since - b.since);
  }

  async function run(batch: readonly Entry<Model>[]): Promise<void> {
    running++;
    const start = performance.now();
    try {
      const { rows, model } = await engine.run(batch.map((entry) => entry.tensor));
      const inferMs = performance.now() - start;
      for (const [i, entry] of batch.entries()) {
        const features = rows[i];
        if (features) entry.resolve({ features, model, queueMs: start - entry.since, inferMs });
        else entry.reject(failed(new Error('the engine gave fewer rows than images')));
      }
    } catch (error) {
      if (error instanceof ReplacedError) putBack(batch);
      else for (const entry of batch) entry.reject(failed(error));
    } finally {
      running--;
      dispatch();
    }
  }

  return {
    get queued() {
      return queue.length;
    },
    infer(tensor, signal) {
      if (signal.aborted) return Promise.reject(cancelled());
      if (queue.length >= maxQueue)
        return Promise.reject(
          new OperatorError('OVERLOADED', `${queue.length} images are waiting (--max-queue)`),
        );
      return new Promise((resolve, reject) => {
        const abandon = (): void => {
          const at = queue.indexOf(entry);
          if (at >= 0) queue.splice(at, 1);
          reject(cancelled());
        };
        const settle =
          <T>(how: (value: T) => void) =>
          (value: T): void => {
            signal.removeEventListener('abort', abandon);
            how(value);
          };
        const entry: Entry<Model> = {
          tensor,
          signal,
          since: performance.now(),
          resolve: settle(resolve),
          reject: settle(reject),
        };
        signal.addEventListener('abort', abandon, { once: true });
        queue.push(entry);
        dispatch();
      });
    },
  };
}

const failed = (cause: unknown): OperatorError =>
  cause instanceof OperatorError
    ? cause
    : new OperatorError('INFERENCE_FAILED', 'the model could not be run on this image', { cause });
const cancelled = (): OperatorError =>
  new OperatorError('CANCELLED', 'cancelled while waiting for the model');
