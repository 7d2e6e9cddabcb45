/** The real server, and so the page, in front of an embedder that needs no model. */
import { parseCommandLine } from '../../../src/config/parse-command-line.ts';
import type { Embedder } from '../../../src/embedder/embedder.ts';
import { createLog } from '../../../src/log.ts';
import { createServer } from '../../../src/server/create-server.ts';

export interface PageOperator {
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly url: string;
  close(): Promise<void>;
}

export interface PageOperatorOptions {
  readonly embedder: Embedder | Promise<Embedder>;
  readonly args?: readonly string[];
  readonly port?: number;
}

export async function startOperator(options: PageOperatorOptions): Promise<PageOperator> {
  const { args = [], port = 0 } = options;
  const argv = ['serve', '--listen', `127.0.0.1:${port}`, ...args];
  const { config } = parseCommandLine(argv, {}, ['serve']);
  const server = createServer({
    config,
    embedder: Promise.resolve(options.embedder),
    log: await createLog({ format: 'json', level: 'silent', fd: 2 }),
    version: '0.1.0',
  });
  const { address } = await server.listen();
  return {
    url: `http://${address}`,
    close: async () => void (await server.close()),
  };
}
