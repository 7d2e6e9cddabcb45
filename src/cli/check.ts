import { readFile, stat } from 'node:fs/promises';
import { formatBytes } from '../config/option-types.ts';
import type { Config } from '../config/options.ts';
import { ConfigError } from '../errors.ts';
import { type CheckOptions, checkOperator } from '../phantoscope/check.ts';
import { samplePicture } from '../phantoscope/sample-picture.ts';
import { fileReason } from '../system-error.ts';
import type { CommandContext } from './command.ts';

/** base64 of this is just within the 100 MiB of a message. */
const maxFileBytes = 74 * 1024 * 1024;

/**
 * `check -e host:port`: whether an operator does what Phantoscope expects of one, and of its kind.
 * @returns the exit code: 0 it does, 1 it does not
 * @throws ConfigError where the options do not fit
 */
export async function runCheck(
  { config, print }: Pick<CommandContext, 'config' | 'print'>,
  signal: AbortSignal,
): Promise<number> {
  const endpoint = config.endpoint.text;
  const problems = await checkOperator({ endpoint, picture: await picture(config), print, signal });
  return problems.length === 0 ? 0 : 1;
}

async function picture({ image, url }: Config): Promise<CheckOptions['picture']> {
  if (image !== undefined && url !== undefined) {
    throw new ConfigError('--image and --url: only one of them');
  }
  if (url !== undefined) return { url };
  if (image === undefined) return { bytes: samplePicture() };
  const file = await stat(image).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'there is no such file' : fileReason(error);
    throw new ConfigError(`--image ${image}: ${why}`);
  });
  if (!file.isFile()) throw new ConfigError(`--image ${image}: that is not a file`);
  if (file.size > maxFileBytes) {
    throw new ConfigError(`--image ${image}: it is larger than ${formatBytes(maxFileBytes)}`);
  }
  const bytes = await readFile(image).catch((error: Error) => {
    throw new ConfigError(`--image ${image}: it cannot be read: ${fileReason(error)}`);
  });
  return { bytes };
}
