import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { type Environment, readEnvironment } from './environment.ts';

/** `$XDG_CACHE_HOME/resnet50-encoder`, else `~/.cache/resnet50-encoder` (XDG base directory specification). */
export function defaultCacheDir(env: Environment = readEnvironment()): string {
  const xdg = env.XDG_CACHE_HOME;
  // The specification says that a relative path is to be ignored.
  const base = xdg && isAbsolute(xdg) ? xdg : join(homedir(), '.cache');
  return join(base, 'resnet50-encoder');
}
