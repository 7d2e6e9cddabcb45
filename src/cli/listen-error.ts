import type { Config } from '../config/options.ts';

/** Why the port cannot be listened on, and what to do about it. */
export function explainListenError(
  error: unknown,
  { endpoint, listen }: Pick<Config, 'endpoint' | 'listen'>,
): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const { host, port } = listen ?? { host: '', port: endpoint.port };
  const option = listen ? '--listen' : '--endpoint';
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} is taken: another program listens there, perhaps another operator, or has a connection from it; choose another port with ${option}`;
    case 'EACCES':
      return (
        `port ${port} needs a right that this user does not have: choose a port from 1024 up with ${option}, or give the ` +
        'right (docker run --sysctl net.ipv4.ip_unprivileged_port_start=0, or setcap cap_net_bind_service=+ep on the file)'
      );
    case 'EADDRNOTAVAIL':
      return `${host} of ${option} is not an address of this machine`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name ${host} of ${option} does not resolve on this machine`;
    default:
      return `port ${port} cannot be listened on: ${message}`;
  }
}
