/**
 * npm runs a script in the repository; the paths that follow it are meant from where npm was called.
 * @param script - the script's name: a program that a script starts, such as a test, has its folder from there
 */
export function enterCallersFolder(script: string): void {
  const { INIT_CWD: folder, npm_lifecycle_event: running } = process.env;
  if (folder && running === script) process.chdir(folder);
}
