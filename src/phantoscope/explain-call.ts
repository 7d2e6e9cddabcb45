/** From what a gRPC client sees to what a person at the keyboard should look at. */
import { Code, ConnectError } from '@connectrpc/connect';
import { printable } from './failure.ts';

/** @param timeoutMs - the limit that the call was given */
export async function explainCall(
  endpoint: string,
  call: string,
  thrown: unknown,
  timeoutMs: number,
): Promise<string> {
  const error = ConnectError.from(thrown);
  const port = endpoint.replace(/^.*:/, '');
  switch (systemCode(error)) {
    case 'ECONNREFUSED':
      return (
        `nothing listens at ${endpoint}: is the operator running, and is its port mapped ` +
        `(docker run -p ${port}:${port})?`
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_NODATA':
      return `the name in ${endpoint} does not resolve here`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
      return `there is no way from here to ${endpoint}`;
  }
  const said = printable(error.rawMessage, 500);
  if (error.code === Code.Unimplemented) {
    return `the server at ${endpoint} has no omnisearch.Operator (${said}): another API listens on that port`;
  }
  // Only a gRPC server sends this; connect-node hands its trailers on as the error's metadata.
  if (error.metadata.has('grpc-status')) {
    return `${call} at ${endpoint} failed: ${codeName(error.code)}: ${said}`;
  }
  if (error.code === Code.ResourceExhausted) {
    return `the answer to ${call} from ${endpoint} is larger than the 100 MiB that Phantoscope accepts`;
  }
  if (error.code === Code.DeadlineExceeded) {
    return (
      `no answer to ${call} from ${endpoint} within ${timeoutMs / 1000} s: a firewall that drops packets, ` +
      'another service on that port, or an operator that hangs'
    );
  }
  const web = await httpServer(endpoint);
  if (web) {
    return `what listens at ${endpoint} is a web server (it answered HTTP/1.1 with ${web}), not an operator: is the port right?`;
  }
  return (
    `what listens at ${endpoint} does not speak gRPC (${said}): another service has that port, ` +
    'or a Docker port mapping leads to a port on which nothing listens in the container'
  );
}

function systemCode(error: ConnectError): string | undefined {
  const cause = error.cause as { code?: unknown } | undefined;
  return typeof cause?.code === 'string' ? cause.code : undefined;
}

function codeName(code: Code): string {
  return Code[code].replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
}

/** The status line of whatever answers HTTP/1.1 there, undefined where nothing does. */
async function httpServer(endpoint: string): Promise<string | undefined> {
  try {
    const reply = await fetch(`http://${endpoint}/`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(1500),
    });
    await reply.body?.cancel();
    const server = reply.headers.get('server');
    return `status ${reply.status}${server ? `, ${printable(server, 40)}` : ''}`;
  } catch {
    return undefined;
  }
}
