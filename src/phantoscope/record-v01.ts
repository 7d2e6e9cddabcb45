/** What Phantoscope v0.1 stores of an operator, and how it comes to store it. */
import { sameEndpoint } from './advertised-endpoint.ts';
import { printable, reason } from './failure.ts';
import { field, findOperator, type StoredRecord } from './operator-record.ts';
import type { RegistrationContext } from './registration.ts';
import type { RestReply } from './rest.ts';

/** The API server calls the operator within these requests, and waits some 20 s for an address that does not answer. */
export const callbackTimeoutMs = 30_000;

export function describe(record: StoredRecord): string {
  const say = (name: string): string => printable(field(record, name), 80) || '?';
  return `${say('backend')} (${say('type')}, dimension ${say('dimension')}) at ${say('endpoint')}`;
}

export function regist(
  { rest }: RegistrationContext,
  name: string,
  endpoint: string,
): Promise<RestReply> {
  return rest.call({
    method: 'POST',
    path: '/v1/operator/regist',
    body: { endpoint, name },
    timeoutMs: callbackTimeoutMs,
  });
}

/**
 * Puts back what was replaced, as far as it still answers: Phantoscope asks it anew.
 * @returns a sentence about what has become of it; throws nothing
 */
export async function restoreV01(
  found: StoredRecord,
  name: string,
  context: RegistrationContext,
): Promise<string> {
  const was = `The older record, ${describe(found)},`;
  const endpoint = field(found, 'endpoint');
  try {
    const now =
      (await findOperator(context.rest, name)) ?? (await registAgain(context, name, endpoint));
    if (now && sameEndpoint(field(now, 'endpoint'), endpoint)) return `${was} is back`;
    if (now) return `The name leads to ${describe(now)} by now`;
    return `${was} could not be put back: Phantoscope does not reach that operator`;
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : reason(thrown);
    return `${was} could not be put back (${why}): register it again`;
  }
}

async function registAgain(
  context: RegistrationContext,
  name: string,
  endpoint: string,
): Promise<StoredRecord | undefined> {
  await regist(context, name, endpoint);
  return findOperator(context.rest, name);
}
