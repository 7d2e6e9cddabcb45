import { type NodeProto, AttributeProto_AttributeType as Type } from '../../../gen/onnx/onnx_pb.ts';
import { Unsupported } from '../unsupported.ts';

/** Attributes of a node by name; each read says what it expects and what stands for one left out. */
export interface Attributes {
  int(name: string, missing: number): number;
  float(name: string, missing: number): number;
  ints(name: string, missing: readonly number[]): readonly number[];
  string(name: string, missing: string): string;
}

export function attributesOf(node: NodeProto): Attributes {
  const find = (name: string, type: Type) => {
    const attribute = node.attribute.find((a) => a.name === name);
    if (attribute && attribute.type !== type)
      throw new Unsupported(`${node.opType} ${node.name}: attribute ${name} is not ${Type[type]}`);
    return attribute;
  };
  return {
    int(name, missing) {
      const attribute = find(name, Type.INT);
      return attribute ? Number(attribute.i) : missing;
    },
    float: (name, missing) => find(name, Type.FLOAT)?.f ?? missing,
    ints: (name, missing) => find(name, Type.INTS)?.ints.map(Number) ?? missing,
    string(name, missing) {
      const attribute = find(name, Type.STRING);
      return attribute ? new TextDecoder().decode(attribute.s) : missing;
    },
  };
}
