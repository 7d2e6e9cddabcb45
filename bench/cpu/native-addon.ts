/** onnxruntime-node within an executable: its addon stays a file, since the library that it links to lies beside it. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Lets the package load its addon from where it is installed. */
export const nativeAddon: Bun.BunPlugin = {
  name: 'native-addon',
  setup(build) {
    build.onLoad({ filter: /onnxruntime-node\/dist\/binding\.js$/ }, ({ path }) => {
      const { platform, arch } = process;
      const addon = `bin/napi-v6/${platform}/${arch}/onnxruntime_binding.node`;
      const file = JSON.stringify(join(dirname(path), '..', addon));
      const source = readFileSync(path, 'utf8');
      const contents = source.replace(
        /require\(`[^`]*\.node`\)/,
        `process.getBuiltinModule('module').createRequire(${file})(${file})`,
      );
      if (contents === source) throw new Error(`${path} does not load its addon as expected`);
      return { contents, loader: 'js' };
    });
  },
};
