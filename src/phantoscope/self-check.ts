/** Calls the advertised endpoint as Phantoscope would, so that what cannot work fails here, with a reason. */
import type { Endpoint } from '../endpoint.ts';
import { assertAdvertisable, isLoopback, sameEndpoint } from './advertised-endpoint.ts';
import { PhantoscopeError, printable, reason } from './failure.ts';
import type { ConnectOperator, IdentityAnswer } from './operator-client.ts';

export interface SelfCheck {
  readonly endpoint: Endpoint;
  readonly apiUrl: string;
  readonly allowUntrained: boolean;
  /** The model that must answer there, where it is known (`serve --register`): another variant after a GPU is lost. */
  readonly expectModelId?: (() => string) | undefined;
  readonly connect: ConnectOperator;
  readonly signal: AbortSignal;
}

/**
 * @returns what answers at the endpoint, fit to be registered
 * @throws PhantoscopeError `endpoint` or `untrained`
 */
export async function checkOwnEndpoint(check: SelfCheck): Promise<IdentityAnswer> {
  const { endpoint, signal } = check;
  assertAdvertisable(endpoint, check.apiUrl);
  const client = check.connect(endpoint.text, { signal });
  try {
    const answer = await client.identity();
    assertOwn(answer, check);
    const health = await client.healthy();
    if (health !== 'healthy') {
      throw new PhantoscopeError(
        'endpoint',
        `the operator at ${endpoint.text} says of its health "${printable(health, 40)}", not "healthy"`,
      );
    }
    return answer;
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof PhantoscopeError) throw thrown;
    throw new PhantoscopeError('endpoint', reason(thrown), thrown);
  } finally {
    client.close();
  }
}

function assertOwn({ identity, modelId, trained }: IdentityAnswer, check: SelfCheck): void {
  const { text } = check.endpoint;
  const who = `"${printable(identity.name, 60)}" (${printable(identity.type, 20)})`;
  if (modelId === undefined) {
    throw new PhantoscopeError(
      'endpoint',
      `what answers at ${text} is ${who}, and not this program: another operator has that port`,
    );
  }
  const expected = check.expectModelId?.();
  if (expected !== undefined && modelId !== expected) {
    throw new PhantoscopeError(
      'endpoint',
      `at ${text} another ${who} answers, with the model ${printable(modelId)}; here it is ${expected}`,
    );
  }
  // v0.1 stores and later calls the address that Identity says, not the one that it was given.
  if (!sameEndpoint(identity.endpoint, text)) {
    const said = printable(identity.endpoint, 120) || 'nothing';
    throw new PhantoscopeError(
      'endpoint',
      `the operator at ${text} says that its endpoint is ${said}, and that is what Phantoscope would call: ` +
        `start it with OP_ENDPOINT=${text}${orRegister(said, check.apiUrl)}`,
    );
  }
  if (!trained && !check.allowUntrained) {
    throw new PhantoscopeError(
      'untrained',
      `the operator at ${text} serves untrained weights (${printable(modelId)}): its vectors mean nothing. ` +
        'Give it a trained model, or register it all the same with --allow-untrained',
    );
  }
}

/** Registering what it says is the other way out, unless Phantoscope could not use that either. */
function orRegister(said: string, apiUrl: string): string {
  const host = said.replace(/:\d+$/, '');
  const useless = isLoopback(host) && !isLoopback(new URL(apiUrl).hostname);
  return useless || host === said ? '' : `, or register it with --endpoint ${said}`;
}
