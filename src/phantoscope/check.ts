/** The tutorial's verification of an operator, whatever language it is written in: Identity, Healthy, one Execute. */
import { printable, reason } from './failure.ts';
import { judgeReply } from './judge-reply.ts';
import { type ConnectOperator, connectOperator, type OperatorClient } from './operator-client.ts';

export interface CheckOptions {
  /** `host:port`. */
  readonly endpoint: string;
  /** What is sent: the bytes of an image, or an address that the operator fetches itself. */
  readonly picture: { readonly bytes: Uint8Array } | { readonly url: string };
  /** Called with each line of the report as soon as it is known. */
  readonly print: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
  readonly connect?: ConnectOperator | undefined;
  readonly timeoutMs?: number | undefined;
  readonly executeTimeoutMs?: number | undefined;
}

/**
 * Prints the tutorial's report.
 * @returns what is wrong with the operator, a sentence each; empty when all is well
 */
export async function checkOperator(options: CheckOptions): Promise<string[]> {
  const { endpoint, print, signal, timeoutMs, executeTimeoutMs } = options;
  const connect = options.connect ?? connectOperator;
  const client = connect(endpoint, { signal, timeoutMs, executeTimeoutMs });
  print(`Begin to test: endpoint-${endpoint}`);
  const problems: string[] = [];
  try {
    await examine(client, options, problems);
  } catch (thrown) {
    signal?.throwIfAborted();
    problems.push(thrown instanceof Error ? thrown.message : reason(thrown));
  } finally {
    client.close();
  }
  for (const problem of problems) print(`FAILED: ${problem}`);
  print(problems.length === 0 ? 'All tests over.' : 'All tests over, not passed.');
  return problems;
}

async function examine(
  client: OperatorClient,
  { picture, print }: CheckOptions,
  problems: string[],
): Promise<void> {
  const { identity, modelId, trained } = await client.identity();
  const { metricType, ...fields } = identity;
  print(
    `Endpoint information: ${printable(JSON.stringify({ ...fields, metric_type: metricType }), 1000)}`,
  );
  if (modelId !== undefined) {
    const warning = trained ? '' : ' (untrained weights: its vectors mean nothing)';
    print(`Endpoint model: ${printable(modelId)}${warning}`);
  }

  const health = await client.healthy();
  print(`Endpoint health: ${printable(health)}`);
  if (health !== 'healthy') {
    problems.push(`Healthy answered "${printable(health, 40)}" instead of "healthy"`);
  }

  const request =
    'url' in picture
      ? { urls: [picture.url], datas: [] }
      : { urls: [], datas: [Buffer.from(picture.bytes).toString('base64')] };
  const reply = await client.execute(request);
  const verdict = judgeReply(identity, reply);
  print(`Result :\n  vector size: ${reply.vectors.length};  data size: ${reply.metadata.length}`);
  for (const line of verdict.lines) print(`  ${line}`);
  problems.push(...verdict.problems);
}
