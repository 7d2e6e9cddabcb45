/** Files that are embedded when this is compiled: the import is a path. */
declare module '*.py' {
  const path: string;
  export default path;
}
