import { describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSystemResolve, systemAddresses } from '../../src/image/source/system-resolver.ts';
import { testUnless } from '../support/data.ts';
import { testFolder } from '../support/test-folder.ts';
import { fetcher, serve } from './loopback-server.ts';

test('createSystemResolve, a name that is not there rejects, and fetch calls it unreachable', async () => {
  // RFC 2606, section 2: .invalid never resolves.
  await expect(createSystemResolve()('does-not-exist.invalid')).rejects.toThrow();
  await expect(fetcher()('http://does-not-exist.invalid/')).rejects.toMatchObject({
    code: 'URL_UNREACHABLE',
    message: 'the name does-not-exist.invalid does not resolve',
  });
});

test('createSystemResolve, localhost is found in the hosts file and refused', async () => {
  expect(await createSystemResolve()('localhost')).toContain('127.0.0.1');
  using server = await serve((socket) => socket.end());
  await expect(fetcher({ allow: [] })(`http://localhost:${server.port}/`)).rejects.toMatchObject({
    code: 'URL_FORBIDDEN',
    message:
      'localhost leads to an address that is not public; --url-allow localhost lets it through',
  });
  expect(server.accepted).toBe(0);
});

test('systemAddresses, tells the loopback address among this machine’s', () => {
  expect(systemAddresses()).toContain('127.0.0.1');
});

/** Runs the child script with name servers of our own: in a network and file system of its own. */
function inOwnNetwork(): Record<string, number | string> {
  const folder = testFolder('own-network');
  const resolvConf = join(folder, 'resolv.conf');
  writeFileSync(resolvConf, 'nameserver 127.0.0.53\noptions timeout:1 attempts:1\n');
  const script = [
    'ip link set lo up',
    `mount --bind ${resolvConf} /etc/resolv.conf`,
    `exec ${process.execPath} ${join(import.meta.dir, 'system-resolver-child.ts')}`,
  ].join(' && ');
  const { status, stdout, stderr } = spawnSync('unshare', ['-rmn', 'sh', '-c', script], {
    encoding: 'utf8',
    timeout: 40_000,
  });
  if (status !== 0) throw new Error(`exit ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

const canUnshare =
  process.platform === 'linux' &&
  Bun.which('ip') &&
  spawnSync('unshare', ['-rmn', 'true']).status === 0;

describe('createSystemResolve, in a network of its own', () => {
  testUnless(
    canUnshare ? undefined : 'namespaces (unshare -rmn, ip) are not available',
    'names whose servers are dead hold nothing up, and new name servers are taken over',
    () => {
      const seen = inOwnNetwork();
      // All look-ups were still without an answer when the rest was measured; of three rounds, the fastest.
      expect(seen.pending).toBe(40);
      expect(seen.gunzipMs).toBeLessThan(1_000);
      expect(seen.readFileMs).toBeLessThan(1_000);
      expect(seen.maxLagMs).toBeLessThan(200);
      expect(seen.afterChange).toBe('10.1.2.3');
    },
    60_000,
  );
});
