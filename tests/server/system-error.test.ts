import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { addressReason, fileReason } from '../../src/system-error.ts';

test('fileReason, the system’s code in words, and what has none as it is', () => {
  try {
    readFileSync('/nowhere/at/all');
  } catch (error) {
    expect(fileReason(error)).toBe('there is no such file or folder');
  }
  expect(fileReason(Object.assign(new Error('EACCES: open'), { code: 'EACCES' }))).toBe(
    'permission denied to this user',
  );
  expect(fileReason(new Error('its own words'))).toBe('its own words');
  expect(fileReason('thrown')).toBe('thrown');
});

const fetched = (url: string): Promise<unknown> =>
  fetch(url).then(
    () => undefined,
    (error: unknown) => error,
  );

test('addressReason, what fetch says of an address, in words', async () => {
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('') });
  try {
    const without = await fetched(`https://127.0.0.1:${server.port}`);
    expect(addressReason(without)).toContain('a server without TLS has an address that begins');
  } finally {
    await server.stop(true);
  }
  expect(addressReason(await fetched('http://127.0.0.1:1'))).toBe('nothing listens there');
  expect(addressReason(await fetched('http://no-such-host.invalid'))).toContain('the name ');
  expect(addressReason(new Error('its own words'))).toBeUndefined();
});
