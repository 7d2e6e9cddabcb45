/** Photos in, the reference implementations' vectors out, through the whole embedder with each engine. */
import { describe, expect } from 'bun:test';
import type { Embedder } from '../../src/embedder/embedder.ts';
import { openEmbedder } from '../../src/embedder/open.ts';
import { cosine } from '../../src/inference/cosine.ts';
import { data, testWith } from '../support/data.ts';
import { embedderOptions } from '../support/embedder-options.ts';
import { type GoldenItem, readGolden } from '../support/golden.ts';
import { preparedTestModel, weightsOf } from '../support/models.ts';

const never = new AbortController().signal;
const engines = ['onnxruntime', 'simd'] as const;

async function withEmbedder(
  model: 'keras' | 'torchvision',
  engine: (typeof engines)[number],
  use: (embedder: Embedder) => Promise<void>,
): Promise<void> {
  const embedder = await openEmbedder(
    { ...embedderOptions, model: await preparedTestModel(model), engine },
    () => {},
  );
  try {
    expect(embedder.info.engine).toBe(engine);
    await use(embedder);
  } finally {
    await embedder.close();
  }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const isRequired = ({ file }: GoldenItem): boolean => /\.(jpe?g|png)$/i.test(file);

describe.each(engines)('engine %s', (engine) => {
  testWith(
    weightsOf.keras,
    'Keras v1 golden vectors, cosine at least 0.99999 for JPEG and PNG, 0.999 for CMYK',
    () =>
      withEmbedder('keras', engine, async (embedder) => {
        const golden = readGolden(data.goldenKeras, data.goldenKerasVectors);
        const items = golden.items.filter((item) => item.row !== undefined && isRequired(item));
        expect(items.length).toBeGreaterThan(75);
        for (const item of items) {
          const request = { datas: [base64(golden.bytes(item))], urls: [] };
          const { vectors } = await embedder.embed(request, never);
          const similarity = cosine(vectors[0]!, golden.vector(item.row!));
          const least = item.mode === 'CMYK' ? 0.999 : 0.99999;
          expect({ file: item.file, ok: similarity >= least, similarity }).toMatchObject({
            file: item.file,
            ok: true,
          });
        }
      }),
    600_000,
  );

  testWith(
    weightsOf.torchvision,
    'torchvision v1.5 golden vectors, cosine at least 0.99999',
    () =>
      withEmbedder('torchvision', engine, async (embedder) => {
        const golden = readGolden(data.goldenTorchvision, data.goldenTorchvisionVectors);
        expect(golden.items.length).toBe(71);
        for (const item of golden.items) {
          const request = { datas: [base64(golden.bytes(item))], urls: [] };
          const { vectors } = await embedder.embed(request, never);
          const similarity = cosine(vectors[0]!, golden.vector(item.row!));
          expect({ file: item.file, ok: similarity >= 0.99999, similarity }).toMatchObject({
            file: item.file,
            ok: true,
          });
        }
      }),
    600_000,
  );
});

testWith(
  weightsOf.keras,
  'golden rejects, INVALID_ARGUMENT naming the item, and the next request is answered',
  () =>
    withEmbedder('keras', 'onnxruntime', async (embedder) => {
      const golden = readGolden(data.goldenKeras, data.goldenKerasVectors);
      const rejects = golden.items.filter((item) => item.expect !== undefined);
      expect(rejects.length).toBe(6);
      const good = golden.items.find((item) => item.row !== undefined)!;
      for (const item of rejects) {
        const datas = [base64(golden.bytes(good)), base64(golden.bytes(item))];
        const error = await embedder.embed({ datas, urls: [] }, never).catch((e) => e);
        expect({ file: item.file, kind: error.kind, item: error.item }).toEqual({
          file: item.file,
          kind: 'invalid_argument',
          item: 1,
        });
        const { vectors } = await embedder.embed({ datas: datas.slice(0, 1), urls: [] }, never);
        expect(vectors.length).toBe(1);
      }
    }),
  600_000,
);

testWith(
  weightsOf.keras,
  'retrieval, the nearest other flower is of the same kind for at least 0.87 of the photos',
  () =>
    withEmbedder('keras', 'simd', async (embedder) => {
      const golden = readGolden(data.goldenKeras, data.goldenKerasVectors);
      const flowers = golden.items.filter(({ file }) => file.startsWith('flowers/'));
      expect(flowers.length).toBe(48);
      const { vectors } = await embedder.embed(
        { datas: flowers.map((item) => base64(golden.bytes(item))), urls: [] },
        never,
      );
      const kind = (i: number): string => flowers[i]?.file.split('/')[1] ?? '';
      const right = vectors.filter((vector, i) => {
        let best = -1;
        let nearest = -1;
        for (const [j, other] of vectors.entries()) {
          const similarity = j === i ? -1 : cosine(vector, other);
          if (similarity > best) [best, nearest] = [similarity, j];
        }
        return kind(nearest) === kind(i);
      }).length;
      console.log(`      retrieval: ${right} of ${vectors.length}`);
      expect(right / vectors.length).toBeGreaterThanOrEqual(0.87);
    }),
  600_000,
);
