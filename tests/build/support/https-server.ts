/** A server with a certificate that only its owner knows, within a container's network. */
import { join } from 'node:path';
import { command } from './command.ts';
import type { Container } from './container.ts';

const paths = (folder: string) => ({
  key: join(folder, 'key.pem'),
  certificate: join(folder, 'certificate.pem'),
});

/** @returns path of a new certificate for `localhost`, with its key beside it */
export async function makeCertificate(folder: string): Promise<string> {
  const { key, certificate } = paths(folder);
  await command([
    ...['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
    ...['-keyout', key, '-out', certificate],
  ]);
  return certificate;
}

/** Serves the folder's files on port 4443 as long as the container lives. */
export async function serveHttps(container: Container, folder: string): Promise<void> {
  const { key, certificate } = paths(folder);
  const enter = ['nsenter', `--target=${container.pid}`, '--net'];
  const server = ['openssl', 's_server', '-WWW', '-accept', '4443', '-key', key];
  const child = Bun.spawn([...enter, ...server, '-cert', certificate], {
    cwd: folder,
    stdout: 'ignore',
    stderr: 'ignore',
  });
  void container.ended.then(() => child.kill());
  const asked = ['curl', '-sk', '--retry', '50', '--retry-connrefused', '--retry-delay', '1'];
  await container.inNetwork(...asked, '--output', '/dev/null', 'https://localhost:4443/');
}
