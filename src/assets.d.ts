/** Files the bundler embeds: `with { type: 'file' }` gives the path to read them at. */
declare module '*.wasm' {
  const path: string;
  export default path;
}
declare module '*.mjs' {
  const path: string;
  export default path;
}
