/** Files the bundler embeds: `with { type: 'file' }` gives the path to read them at. */
declare module '*.wasm' {
  const path: string;
  export default path;
}
declare module '*/ort-wasm-simd-threaded.mjs' {
  const path: string;
  export default path;
}
