/** Where this process's number means this process: on another host, and in another container, it is somebody else's. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

const digits = 12;

/** What a place looks like in a file's name. */
export const placePattern = `[0-9a-f]{${digits}}`;

/** The same for two processes exactly where each can tell by the other's number whether it runs. */
export const place: string = describePlace();

function describePlace(): string {
  let parts: string[];
  try {
    parts = readParts();
  } catch {
    // Not known: nobody else is there.
    return randomBytes(digits / 2).toString('hex');
  }
  return createHash('sha256').update(parts.join()).digest('hex').slice(0, digits);
}

/**
 * Containers of one machine share its boot and differ in their namespaces of process numbers; the outermost namespace has
 * the same name on all machines. After a start of the machine it is another place, too.
 */
function readParts(): string[] {
  if (process.platform !== 'linux') return [process.platform, hostname()];
  return [
    readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'),
    readlinkSync('/proc/self/ns/pid'),
  ];
}
