/** HTTP/1.1 by hand, to say what no library would. */
import { connect, type Socket } from 'node:net';

export interface RawClient {
  readonly socket: Socket;
  readonly received: () => string;
  /** The code of the error by which the connection ended, or `closed`. */
  readonly closed: Promise<string>;
}

/** @param allowHalfOpen - it may go on sending when the server has closed its half */
export async function openHttp1(port: number, allowHalfOpen = false): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = new Promise<string>((resolve) => {
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? 'error'));
    socket.once('close', () => resolve('closed'));
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  return { socket, received: () => Buffer.concat(chunks).toString('latin1'), closed };
}

/** The header of a POST, with further fields, each with its line break. */
export const headOf = (path: string, contentType: string, more: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${contentType}\r\n${more}\r\n`;

export const executeHead = (more: string): string =>
  headOf('/omnisearch.Operator/Execute', 'application/json', more);

/** An Execute with one image, which the fake embedder takes for what it says, such as `FAKE_DELAY:100`. */
export function execute(data: string, more = ''): string {
  const body = JSON.stringify({ datas: [data] });
  return `${executeHead(`${more}Content-Length: ${body.length}\r\n`)}${body}`;
}

/** Health's Watch: one message now, and one whenever it changes. */
export const watch = (contentType: string, message: string): string =>
  `${headOf('/grpc.health.v1.Health/Watch', contentType, `Content-Length: ${message.length}\r\n`)}${message}`;
