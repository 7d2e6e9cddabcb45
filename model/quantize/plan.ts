/** What of a graph is quantised: which tensors get a scale, and which convolution reads and makes which. */
import type { NodeProto } from '../../src/gen/onnx/onnx_pb.ts';
import { ModelError } from '../errors.ts';
import type { Graph } from './graph.ts';

/** A tensor that is stored in 8 bits. */
export interface Activation {
  /** The tensor of the fp32 graph whose values decide the scale. */
  readonly name: string;
  /** `positive`: after a ReLU, 0..127. `signed`: an operand of an addition, -128..127. */
  readonly kind: 'positive' | 'signed';
}

/** A convolution whose weights become 8-bit integers. */
export interface QuantisedConv {
  readonly node: NodeProto;
  /** The tensor it reads, and the activation whose scale that has. */
  readonly input: string;
  readonly reads: Activation;
  readonly weights: string;
  readonly bias: string | undefined;
}

export interface QuantisationPlan {
  readonly activations: readonly Activation[];
  readonly convs: readonly QuantisedConv[];
  /** The activation whose scale a tensor has: a convolution's output before its ReLU has that of the ReLU's. */
  readonly activationOf: ReadonlyMap<string, Activation>;
}

/** What may follow the quantised part, in float32. */
const tail = new Set([
  'GlobalAveragePool',
  'Flatten',
  'Reshape',
  'LpNormalization',
  'ReduceL2',
  'Div',
]);

/**
 * Walks the graph. Convolutions, additions, ReLUs and max pools are quantised. The convolution that reads the image stays
 * float32, since the whole network suffers from its rounding; so does everything from the global average pool on, where
 * rounding the embedding itself would only lose.
 * @throws ModelError naming the first operator that cannot be quantised
 */
export function planQuantisation(graph: Graph): QuantisationPlan {
  const convs: QuantisedConv[] = [];
  const activationOf = new Map<string, Activation>();
  const read = (node: NodeProto, index: number): Activation => {
    const activation = activationOf.get(node.input[index] ?? '');
    if (activation) return activation;
    throw new ModelError(
      `${node.opType} ${node.name} cannot be quantised: it reads ${node.input[index]}, which is not`,
    );
  };

  for (const node of graph.nodes) {
    const output = node.output[0]!;
    if (node.opType === 'Conv') {
      if (node.input[0] !== graph.input) convs.push(quantisedConv(node, read(node, 0)));
      activationOf.set(output, madeBy(graph, output));
    } else if (node.opType === 'Add') {
      read(node, 0);
      read(node, 1);
      activationOf.set(output, madeBy(graph, output));
    } else if (node.opType === 'Relu' || node.opType === 'MaxPool') {
      activationOf.set(output, read(node, 0));
    } else if (!tail.has(node.opType)) {
      const hint = node.opType === 'BatchNormalization' ? '; fold it into its convolution' : '';
      throw new ModelError(`${node.opType} ${node.name} cannot be quantised${hint}`);
    }
  }
  if (convs.length === 0) throw new ModelError('the graph has no convolution to quantise');
  return { activations: [...new Set(activationOf.values())], convs, activationOf };
}

function quantisedConv(node: NodeProto, reads: Activation): QuantisedConv {
  if (reads.kind === 'signed')
    throw new ModelError(`Conv ${node.name} cannot be quantised: its input may be negative`);
  const [input = '', weights = '', bias] = node.input;
  return { node, input, reads, weights, bias: bias || undefined };
}

function madeBy(graph: Graph, output: string): Activation {
  const readers = graph.readers.get(output) ?? [];
  const relu = readers.length === 1 && readers[0]!.opType === 'Relu' ? readers[0] : undefined;
  return relu ? { name: relu.output[0]!, kind: 'positive' } : { name: output, kind: 'signed' };
}
