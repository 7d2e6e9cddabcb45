/** Any arrival, cancellation and failure: every image gets its own row or an error, and the engine's limits hold. */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Failover } from '../../src/inference/failover.ts';
import { ReplacedError } from '../../src/inference/running.ts';
import { createScheduler } from '../../src/inference/scheduler.ts';

const limits = fc.record({
  concurrency: fc.integer({ min: 1, max: 3 }),
  maxBatch: fc.integer({ min: 1, max: 5 }),
  maxBatchWait: fc.constantFrom(0, 1, 60_000),
});
/** What becomes of a batch; engines are not replaced for ever. */
const ending = fc.constantFrom('done', 'done', 'failed', 'replaced');
const mostBatches = 20;
/** What befalls an image: when it comes, whether its client gives up and after how many turns. */
const image = fc.record({
  pause: fc.boolean(),
  abortAfter: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
});

test('scheduler, answers every image with its own row or with an error, in batches the engine can take', async () => {
  await fc.assert(
    fc.asyncProperty(
      limits,
      fc.array(image, { minLength: 1, maxLength: 25 }),
      fc.array(ending, { minLength: 1, maxLength: 10 }),
      async ({ concurrency, maxBatch, maxBatchWait }, images, endings) => {
        let running = 0;
        let batches = 0;
        const seen: number[] = [];
        const engine: Pick<Failover<string>, 'concurrency' | 'maxBatch' | 'run'> = {
          concurrency,
          maxBatch,
          async run(inputs) {
            running++;
            expect(running).toBeLessThanOrEqual(concurrency);
            expect(inputs.length).toBeWithin(1, maxBatch + 1);
            seen.push(...inputs.map(([value]) => value ?? Number.NaN));
            const ending = endings[batches++ % endings.length];
            for (let turn = 0; turn < 3; turn++) await Promise.resolve();
            running--;
            if (ending === 'failed') throw new Error('made up');
            if (ending === 'replaced' && batches < mostBatches) throw new ReplacedError('made up');
            return { rows: inputs.map((input) => input.slice(0, 1)), model: 'test' };
          },
        };
        const scheduler = createScheduler(engine, { maxQueue: 100, maxBatchWait });
        const outcomes: Promise<'own row' | 'failed' | 'cancelled'>[] = [];
        for (const [value, { pause, abortAfter }] of images.entries()) {
          const abort = new AbortController();
          outcomes.push(
            scheduler.infer(Float32Array.of(value), abort.signal).then(
              ({ features }) => {
                expect(features[0]).toBe(value);
                return 'own row' as const;
              },
              ({ code }) => (code === 'CANCELLED' ? ('cancelled' as const) : ('failed' as const)),
            ),
          );
          if (abortAfter !== undefined) void turns(abortAfter).then(() => abort.abort());
          if (pause) await turns(2);
        }
        const settled = await Promise.all(outcomes);
        expect(scheduler.queued).toBe(0);
        if (!endings.includes('replaced')) expect(seen).toEqual(seen.toSorted((a, b) => a - b));
        for (const [value, outcome] of settled.entries())
          if (outcome !== 'cancelled') expect(seen).toContain(value);
      },
    ),
    { numRuns: 200 },
  );
});

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}
