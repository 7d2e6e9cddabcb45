/**
 * The manifest: everything the operator knows about its model. It lies beside the ONNX file as JSON and is validated on
 * the way in; nothing about ResNet50 is hard-coded elsewhere.
 */
import * as v from 'valibot';
import { ConfigError } from '../errors.ts';

const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const positive = v.pipe(v.number(), v.integer(), v.minValue(1));
const finite = v.pipe(v.number(), v.finite());
const divisor = v.pipe(finite, v.notValue(0));
const triple = <T extends v.GenericSchema<number>>(each: T) => v.tuple([each, each, each]);

/** How well the `simd` engine's vectors matched onnxruntime-web's when the model was prepared. */
const agreementSchema = v.object({
  samples: positive,
  /** Smallest cosine over the samples, before normalisation. */
  minCosine: v.number(),
  /** Largest absolute difference, relative to the largest value of the reference. */
  maxRelativeDifference: v.number(),
});

const variantSchema = v.object({
  /** File name of the ONNX model, beside the manifest. */
  file: v.pipe(v.string(), v.regex(/^[^/\\]+$/)),
  bytes: positive,
  sha256,
  agreement: v.optional(agreementSchema),
  /** How a quantised or converted variant was made, and what it costs; free-form, for people. */
  notes: v.optional(v.record(v.string(), v.union([v.string(), v.number()]))),
});

const resizeSchema = v.variant('mode', [
  /** Both sides to the given size, aspect ratio ignored. */
  v.object({
    mode: v.literal('stretch'),
    width: positive,
    height: positive,
    filter: v.picklist(['nearest', 'bilinear']),
  }),
  /** The shorter side to `size`, the longer to `floor(size * long / short)`. Bilinear antialiases as Pillow does. */
  v.object({
    mode: v.literal('shorter-side'),
    size: positive,
    filter: v.picklist(['nearest', 'bilinear']),
  }),
]);

/** Pixels to tensor: `value[c] = (byte * scale - mean[c]) / std[c]`, in float32; mean and std follow `channels`. */
const preprocessSchema = v.object({
  resize: resizeSchema,
  /** Centre crop after the resize; offsets are rounded half to even. */
  crop: v.optional(v.object({ width: positive, height: positive })),
  channels: v.picklist(['RGB', 'BGR']),
  scale: divisor,
  mean: triple(finite),
  std: triple(divisor),
});

export const precisions = ['fp32', 'fp16', 'int8'] as const;
export type Precision = (typeof precisions)[number];

const fields = v.object({
  format: v.literal(1),
  /** What Identity answers. */
  name: v.string(),
  type: v.string(),
  input: v.string(),
  output: v.string(),
  dimension: positive,
  metricType: v.string(),
  /** Which network, for people: `resnet50-keras-v1`, `resnet50-torchvision-v1.5` … */
  architecture: v.string(),
  /** False for seeded random weights: the vectors mean nothing. True says only that the weights come from a file. */
  trained: v.boolean(),
  source: v.object({ description: v.string(), sha256: v.optional(sha256), licence: v.string() }),
  graph: v.object({
    input: v.string(),
    output: v.string(),
    /** The input tensor is `[batch, 3, height, width]` or `[batch, height, width, 3]`, float32. */
    layout: v.picklist(['NCHW', 'NHWC']),
    height: positive,
    width: positive,
  }),
  preprocess: preprocessSchema,
  /** Applied to the graph's output row by row. */
  normalise: v.picklist(['l2', 'none']),
  variants: v.pipe(
    v.object({
      fp32: v.optional(variantSchema),
      fp16: v.optional(variantSchema),
      int8: v.optional(variantSchema),
    }),
    v.check((variants) => Object.keys(variants).length > 0, 'there is none'),
  ),
});

/** The picture that the preprocessing makes; where the image decides, it has no size of its own. */
function pictureSize({ resize, crop }: PreprocessRules): string {
  const size = crop ?? (resize.mode === 'stretch' ? resize : undefined);
  return size ? `${size.width}×${size.height}` : 'any size';
}

/** What a crop that is larger than the resized picture is told; undefined where all of it lies within every picture. */
function cropBeyond({ resize, crop }: PreprocessRules): string | undefined {
  if (!crop) return undefined;
  // The longer side is no shorter than the shorter one.
  const [width, height] =
    resize.mode === 'stretch' ? [resize.width, resize.height] : [resize.size, resize.size];
  if (crop.width <= width && crop.height <= height) return undefined;
  const pictures = resize.mode === 'stretch' ? `${width}×${height}` : `${resize.size} pixels`;
  return `it cuts ${crop.width}×${crop.height} out of pictures of ${pictures}`;
}

const manifestSchema = v.pipe(
  fields,
  v.forward(
    v.check(
      ({ preprocess }) => cropBeyond(preprocess) === undefined,
      ({ input: { preprocess } }) => cropBeyond(preprocess) ?? '',
    ),
    ['preprocess'],
  ),
  v.forward(
    v.check(
      ({ preprocess, graph }) => pictureSize(preprocess) === `${graph.width}×${graph.height}`,
      ({ input: { preprocess, graph } }) =>
        `it makes pictures of ${pictureSize(preprocess)}, but graph takes ${graph.width}×${graph.height}`,
    ),
    ['preprocess'],
  ),
);

export type Manifest = v.InferOutput<typeof manifestSchema>;
export type ManifestVariant = v.InferOutput<typeof variantSchema>;
export type PreprocessRules = v.InferOutput<typeof preprocessSchema>;
export type EngineAgreement = v.InferOutput<typeof agreementSchema>;

/**
 * Checks a manifest read from `where`.
 * @throws ConfigError naming the field that is missing or wrong
 */
export function parseManifest(json: unknown, where: string): Manifest {
  const result = v.safeParse(manifestSchema, json);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const path = v.getDotPath(issue) ?? '(root)';
  throw new ConfigError(`${where}: not a model manifest: ${path}: ${issue.message}`);
}

/** Identifies the vectors: model name, precision and the start of the checksum of the ONNX file they come from. */
export function modelId(manifest: Manifest, precision: Precision): string {
  const variant = manifest.variants[precision];
  if (!variant) throw new ConfigError(`the model has no ${precision} variant`);
  return `${manifest.name}-${precision}-${variant.sha256.slice(0, 16)}`;
}
