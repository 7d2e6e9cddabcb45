import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';
import { testWithProgram } from '../support/data.ts';
import { eventually } from '../support/eventually.ts';
import { testFolder } from '../support/test-folder.ts';
import { fetcher, names, redirect, response, withEnvironment, wrap } from './loopback-server.ts';

const folder = testFolder('url-tls');
const read = (name: string) => readFileSync(join(folder, name), 'utf8');

function openssl(...args: string[]): void {
  const { status, stderr } = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
}

let made = false;
/** A certificate authority of our own and a certificate for `img.test` and 127.0.0.1. */
function certificates() {
  if (!made) {
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    openssl('req', '-x509', ...ec, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test CA');
    writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:img.test,IP:127.0.0.1\n');
    openssl('req', ...ec.slice(0, 5), '-keyout', 'key', '-out', 'csr', '-subj', '/CN=img.test');
    const sign = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'];
    openssl('x509', '-req', '-in', 'csr', ...sign, '-extfile', 'names', '-out', 'cert');
    made = true;
  }
  return { key: read('key'), cert: read('cert'), ca: [read('ca.pem')] };
}

async function serveTls(answer: Parameters<typeof wrap>[2]) {
  const { key, cert, ca } = certificates();
  const serverNames: unknown[] = [];
  const server = createServer({ key, cert });
  server.on('secureConnection', (socket: TLSSocket) => serverNames.push(socket.servername));
  server.on('tlsClientError', () => {});
  return { server: await wrap(server, 'secureConnection', answer), serverNames, ca };
}

const { resolve } = names({ 'img.test': ['127.0.0.1'], 'other.test': ['127.0.0.1'] });

testWithProgram(
  'openssl',
  'fetch, TLS goes to the pinned address under the name of the URL',
  async () => {
    const { server, serverNames, ca } = await serveTls((socket) => socket.end(response('secret')));
    using _ = server;
    const bytes = await fetcher({ resolve, ca })(`https://img.test:${server.port}/x`);
    expect(new TextDecoder().decode(bytes)).toBe('secret');
    expect(serverNames).toEqual(['img.test']);
    expect(server.requests[0]).toContain(`GET /x HTTP/1.1\r\nHost: img.test:${server.port}\r\n`);
  },
);

testWithProgram(
  'openssl',
  'fetch, TLS to a literal address checks the address and names none',
  async () => {
    const { server, serverNames, ca } = await serveTls((socket) => socket.end(response('secret')));
    using _ = server;
    expect(await fetcher({ ca })(`https://127.0.0.1:${server.port}/`)).toHaveLength(6);
    expect(serverNames).toEqual([false]);
  },
);

testWithProgram(
  'openssl',
  'fetch, a certificate for another name is refused, and one nobody vouches for',
  async () => {
    const { server, ca } = await serveTls((socket) => socket.end(response('secret')));
    using _ = server;
    const refusals = async () => {
      for (const [options, host] of [
        [{ resolve, ca }, 'other.test'],
        [{ resolve }, 'img.test'],
      ] as const) {
        await expect(fetcher(options)(`https://${host}:${server.port}/`)).rejects.toMatchObject({
          code: 'URL_UNREACHABLE',
          message: `no trusted TLS connection to ${host}`,
        });
      }
    };
    await refusals();
    await withEnvironment({ NODE_TLS_REJECT_UNAUTHORIZED: '0' }, refusals);
    expect(server.requests).toEqual([]);
    await eventually(() => server.connections.size === 0);
  },
);

testWithProgram(
  'openssl',
  'fetch, a redirect from https to http is refused, to https it is followed',
  async () => {
    let location = 'http://9.9.9.9/';
    const { server, ca } = await serveTls((socket, head) =>
      socket.end(head.startsWith('GET /there ') ? response('x') : redirect(location)),
    );
    using _ = server;
    const fetch = fetcher({ resolve, ca });
    await expect(fetch(`https://img.test:${server.port}/`)).rejects.toMatchObject({
      code: 'URL_FORBIDDEN',
      message: 'img.test redirects from https to http',
    });
    location = `https://img.test:${server.port}/there`;
    expect(await fetch(`https://img.test:${server.port}/`)).toHaveLength(1);
  },
);

test('fetch, plain HTTP on a TLS port is unreachable', async () => {
  const { createServer: createPlain } = await import('node:net');
  const server = await wrap(createPlain(), 'connection', () => {});
  using _ = server;
  const chatty = server.connections;
  const outcome = fetcher({ connectTimeoutMs: 2_000 })(`https://127.0.0.1:${server.port}/`);
  await eventually(() => chatty.size > 0);
  for (const socket of chatty) socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  await expect(outcome).rejects.toMatchObject({ code: 'URL_UNREACHABLE' });
});
