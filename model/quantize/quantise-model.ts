/** A prepared fp32 model in, its int8 variant beside it. */
import { toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from '../../src/gen/onnx/onnx_pb.ts';
import type { Manifest, ManifestVariant } from '../../src/model/manifest.ts';
import { openModel } from '../../src/model/open-model.ts';
import { addVariant, assertAddable, type NewVariant } from '../add-variant.ts';
import { ModelError } from '../errors.ts';
import { type Drift, embed, measureDrift } from './compare.ts';
import { readGraphOf } from './graph.ts';
import { makeImages, readImages } from './images.ts';
import { measureActivations } from './measure-activations.ts';
import { planQuantisation } from './plan.ts';
import { type QuantisedGraph, quantiseGraph } from './quantise-graph.ts';
import { describeMethod, type Method } from './threshold.ts';

export interface QuantiseOptions {
  /** The fp32 ONNX file with its manifest beside it. */
  readonly model: string;
  /** A folder of photographs. @default pictures made by code */
  readonly images: string | undefined;
  /** Tried one after the other; the one with the best embeddings on images held out is taken. */
  readonly methods: readonly Method[];
  /** Most images, those held out included. */
  readonly count: number;
  readonly seed: number;
  readonly tell: (line: string) => void;
  readonly signal: AbortSignal;
  readonly measureAgreement?: NewVariant['measureAgreement'];
}

/** What docs/int8.md aims at; a trained network reaches it. */
const aimedAt: Drift = { meanCosine: 0.996, minCosine: 0.985 };

/** One image in so many only judges, and is not calibrated with. */
const heldOutShare = 5;

/**
 * Writes `<model>.int8.onnx` and lists it in the manifest. Both appear at the end; after a failure nothing has changed.
 * @returns the new variant
 * @throws ModelError, ConfigError
 */
export async function quantiseModel(options: QuantiseOptions): Promise<ManifestVariant> {
  const { tell, signal } = options;
  const { manifest, slice } = openModel(options.model, 'fp32');
  assertAddable(options.model);
  const graph = readGraphOf(slice);
  const plan = planQuantisation(graph);
  const images = await openImages(options, manifest);
  const heldOut = images.filter((_, i) => i % heldOutShare === heldOutShare - 1);
  const calibration = images.filter((image) => !heldOut.includes(image));
  if (heldOut.length === 0)
    throw new ModelError(
      `${images.length} images are too few: at least ${heldOutShare} are needed, of which one only judges`,
    );
  if (images.length < options.count)
    tell(
      `warning: ${images.length} photographs, not the ${options.count} of --count: fewer calibrate a little worse (docs/int8.md); give more, or no --images for pictures made by code`,
    );
  const statistics = await measureActivations({ graph, manifest, slice }, plan, {
    images: calibration,
    signal,
    progress: (runs) => {
      if (runs % 10 === 0 || runs === 2 * calibration.length)
        tell(`measuring activations: ${runs} of ${2 * calibration.length} runs`);
    },
  });
  const reference = await embed(graph.model, manifest, heldOut, signal);
  let best: Candidate | undefined;
  for (const method of options.methods) {
    const quantised = quantiseGraph(graph, plan, statistics, method);
    const rows = await embed(quantised.model, manifest, heldOut, signal);
    const drift = measureDrift(reference, rows);
    tell(
      `${describeMethod(method)}: on ${heldOut.length} images held out, ${describeDrift(drift)}`,
    );
    if (!best || drift.meanCosine > best.drift.meanCosine) best = { method, quantised, drift };
  }
  if (!best) throw new ModelError('no method was given');
  const { meanCosine, minCosine } = best.drift;
  if (meanCosine < aimedAt.meanCosine || minCosine < aimedAt.minCosine)
    tell(
      `warning: these int8 vectors are far from those of fp32: ${describeDrift(best.drift)}, where ${aimedAt.meanCosine} and ${aimedAt.minCosine} are aimed at (docs/int8.md); searches with them may find other neighbours`,
    );
  return write(best, { ...options, manifest, calibrationImages: calibration.length });
}

interface Candidate {
  readonly method: Method;
  readonly quantised: QuantisedGraph;
  readonly drift: Drift;
}

const describeDrift = ({ meanCosine, minCosine }: Drift): string =>
  `cosine to fp32 ${meanCosine.toFixed(5)} on average, ${minCosine.toFixed(5)} at least`;

async function openImages(options: QuantiseOptions, manifest: Manifest): Promise<Float32Array[]> {
  const { images, count, tell } = options;
  if (images !== undefined) return readImages(images, { ...options, manifest });
  tell(`no --images: calibrating with ${count} pictures made by code`);
  return makeImages({ ...options, manifest });
}

async function write(
  { method, quantised, drift }: Candidate,
  options: QuantiseOptions & { manifest: Manifest; calibrationImages: number },
): Promise<ManifestVariant> {
  const { model, manifest, tell, signal, measureAgreement, calibrationImages } = options;
  const bytes = toBinary(ModelProtoSchema, quantised.model);
  const notes = {
    method: describeMethod(method),
    calibration: options.images === undefined ? 'pictures made by code' : 'photographs',
    calibrationImages,
    meanCosineToFp32: drift.meanCosine,
    minCosineToFp32: drift.minCosine,
    widenedChannels: quantised.widened,
    channels: quantised.channels,
  };
  const { onnxPath, variant } = await addVariant({
    ...{ model, manifest, precision: 'int8', bytes, notes, signal, measureAgreement },
  });
  tell(`wrote ${onnxPath} (${(bytes.length / 1e6).toFixed(1)} MB), listed in the manifest`);
  return variant;
}
