/** A manifest that contradicts its ONNX file, found from the graph's declarations: the weights are not read. */
import { fromBinary } from '@bufbuild/protobuf';
import { ConfigError } from '../../errors.ts';
import { type GraphProto, GraphProtoSchema, type ValueInfoProto } from '../../gen/onnx/onnx_pb.ts';
import type { Model } from '../../model/open-model.ts';
import { openSliceReader } from '../simd/onnx/slice-reader.ts';
import { splitGraph } from '../simd/onnx/stored-model.ts';
import { Unsupported } from '../simd/unsupported.ts';

type Checked = Pick<Model, 'manifest' | 'slice'>;

/** @throws ConfigError naming the field of the manifest, what it says and what the graph has */
export function assertGraph({ manifest, slice }: Checked): void {
  const declared = readGraph(slice);
  if (!declared) return;
  const { input, output, layout, height, width } = manifest.graph;
  const image = layout === 'NCHW' ? [3, height, width] : [height, width, 3];
  const wrong =
    contradiction('input', input, declared.input, image) ??
    contradiction('output', output, declared.output, [manifest.dimension]);
  if (wrong === undefined) return;
  throw new ConfigError(`${slice.path}: ${wrong}: prepare the model again`);
}

/** @param sizes - of one image, without the batch; of the output their product counts, for a pooled 2048×1×1 is as good */
function contradiction(
  end: 'input' | 'output',
  name: string,
  values: readonly ValueInfoProto[],
  sizes: readonly number[],
): string | undefined {
  const value = values.find((one) => one.name === name);
  if (!value) {
    const names = values.map((one) => one.name).join(', ');
    return `its manifest says that the graph's ${end} is named "${name}" (graph.${end}), but the graph has ${names || 'none'}`;
  }
  const dims = dimsOf(value)?.slice(1);
  // What is declared by a name, or not at all, is only known when the network runs.
  if (!dims || dims.includes(undefined)) return undefined;
  const product = (all: readonly (number | undefined)[]) => all.reduce<number>((p, d) => p * d!, 1);
  const same =
    end === 'output'
      ? product(dims) === product(sizes)
      : dims.length === sizes.length && dims.every((dim, i) => dim === sizes[i]);
  if (same) return undefined;
  const field = end === 'output' ? 'dimension' : 'graph.layout, graph.height and graph.width';
  return `its manifest says that the graph's ${end} "${name}" is ${sizes.join('×')} (${field}), but it is ${dims.join('×')}`;
}

function dimsOf({ type }: ValueInfoProto): (number | undefined)[] | undefined {
  if (type?.value.case !== 'tensorType') return undefined;
  return type.value.value.shape?.dim.map(({ value }) =>
    value.case === 'dimValue' && value.value > 0n ? Number(value.value) : undefined,
  );
}

/** undefined for a file that this reader does not take; onnxruntime may, or says why not. */
function readGraph(slice: Model['slice']): GraphProto | undefined {
  const reader = openSliceReader(slice);
  try {
    return fromBinary(GraphProtoSchema, splitGraph(reader).graph.rest);
  } catch (error) {
    if (error instanceof Unsupported) return undefined;
    throw error;
  } finally {
    reader.close();
  }
}
