import type { NodeProto } from '../../../gen/onnx/onnx_pb.ts';

/**
 * The nodes that a graph's output depends on, in their order. A graph may have others: a second output, or what an export
 * has left over. They would cost time, keep layers from being fused, and be declined for operators that nobody needs.
 */
export function neededNodes(nodes: readonly NodeProto[], output: string): NodeProto[] {
  // Lists, since a value made twice has to be seen twice: it is declined later.
  const makers = new Map<string, NodeProto[]>();
  for (const node of nodes)
    for (const name of node.output.filter(Boolean))
      makers.set(name, [...(makers.get(name) ?? []), node]);
  const names = new Set([output]);
  // A set's iteration comes to what is added meanwhile.
  for (const name of names)
    for (const node of makers.get(name) ?? [])
      for (const input of node.input.filter(Boolean)) names.add(input);
  return nodes.filter((node) => node.output.some((name) => names.has(name)));
}
