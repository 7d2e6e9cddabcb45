/** What the services are made of, from the descriptors that the generated code carries. */
import { type DescFile, toBinary } from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';

export interface ReflectionIndex {
  /** Full names of the services, in alphabetical order. */
  readonly services: readonly string[];
  /** Serialised descriptors of the file and of all that it imports; undefined when there is no such file. */
  fileByName(name: string): Uint8Array[] | undefined;
  /** The same for the file that defines a message, field, enum, service or method of this full name. */
  fileBySymbol(symbol: string): Uint8Array[] | undefined;
  /** True for a message that is known here; none of ours has extensions. */
  hasMessage(name: string): boolean;
}

export function createReflectionIndex(files: readonly DescFile[]): ReflectionIndex {
  const byName = new Map<string, DescFile>();
  const bySymbol = new Map<string, DescFile>();
  const messages = new Set<string>();
  const services: string[] = [];

  const add = (file: DescFile): void => {
    // protobuf-es leaves the suffix off.
    byName.set(`${file.name}.proto`, file);
    for (const type of nestedTypes(file)) {
      bySymbol.set(type.typeName, file);
      if (type.kind === 'message') {
        messages.add(type.typeName);
        for (const member of type.members) bySymbol.set(`${type.typeName}.${member.name}`, file);
      }
      if (type.kind === 'service') {
        services.push(type.typeName);
        for (const method of type.methods) bySymbol.set(`${type.typeName}.${method.name}`, file);
      }
    }
    file.dependencies.forEach(add);
  };
  files.forEach(add);

  const withImports = (file: DescFile): DescFile[] => [
    file,
    ...file.dependencies.flatMap(withImports),
  ];
  const serialise = (file: DescFile | undefined): Uint8Array[] | undefined =>
    file &&
    [...new Set(withImports(file))].map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));

  return {
    services: services.sort(),
    fileByName: (name) => serialise(byName.get(name)),
    fileBySymbol: (symbol) => serialise(bySymbol.get(symbol)),
    hasMessage: (name) => messages.has(name),
  };
}
