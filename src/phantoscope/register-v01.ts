/** Phantoscope v0.1: an endpoint is registered, and the API server asks it who it is. */
import { sameEndpoint, unreachableFromPhantoscope } from './advertised-endpoint.ts';
import { PhantoscopeError, printable } from './failure.ts';
import type { Identity } from './operator-client.ts';
import {
  deleteOperator,
  field,
  findOperator,
  operatorPath,
  type StoredRecord,
} from './operator-record.ts';
import {
  checkName,
  type Outcome,
  type RegistrationContext,
  type RegistrationRequest,
  taken,
} from './registration.ts';
import { describeReply, type RestReply } from './rest.ts';
import { checkOwnEndpoint } from './self-check.ts';

/** The API server calls the operator within these requests, and waits some 20 s for an address that does not answer. */
const callbackTimeoutMs = 30_000;

/** Ends in the registered state however often it runs. @throws PhantoscopeError */
export async function registerV01(
  request: RegistrationRequest,
  context: RegistrationContext,
): Promise<Outcome> {
  const { endpoint, apiUrl } = request;
  const { rest, connect, signal } = context;
  const { identity } = await checkOwnEndpoint({ ...request, connect, signal });
  const name = request.name ?? identity.name;
  const notes = checkName(name);
  const outcome = { api: 'v0.1', name, endpoint: identity.endpoint, notes } as const;

  const found = await findOperator(rest, name);
  if (found && isThis(found, identity)) return { ...outcome, state: 'unchanged' };
  if (found) {
    if (!request.replace) await assertReplaceable(found, request, name, context);
    await deleteOperator(rest, name);
  }

  const reply = await regist(context, name, endpoint.text);
  const stored = await findOperator(rest, name);
  if (stored && isThis(stored, identity)) {
    return { ...outcome, state: found ? 'replaced' : 'registered' };
  }
  if (stored) {
    if (reply.status !== 200) throw taken(name, describe(stored), apiUrl);
    throw new PhantoscopeError(
      'not-phantoscope',
      `${apiUrl} accepted the registration, but stored something else: ${describe(stored)}`,
    );
  }
  if (found) await restore(found, name, context);
  throw notStored(reply, request);
}

/** Whether the record still leads to this operator; calls nobody but the API server. */
export async function isRegisteredV01(
  outcome: Outcome,
  { rest }: RegistrationContext,
): Promise<boolean> {
  const found = await findOperator(rest, outcome.name);
  return found !== undefined && sameEndpoint(field(found, 'endpoint'), outcome.endpoint);
}

/** Takes the record away if it leads here. @returns whether there was one */
export async function unregisterV01(
  name: string,
  request: RegistrationRequest,
  { rest }: RegistrationContext,
): Promise<boolean> {
  const found = await findOperator(rest, name);
  if (!found || !sameEndpoint(field(found, 'endpoint'), request.endpoint.text)) return false;
  await deleteOperator(rest, name);
  return true;
}

function isThis(record: StoredRecord, identity: Identity): boolean {
  return (
    field(record, 'backend') === identity.name &&
    field(record, 'endpoint') === identity.endpoint &&
    field(record, 'type') === identity.type &&
    field(record, 'input') === identity.input &&
    field(record, 'output') === identity.output &&
    field(record, 'dimension') === identity.dimension &&
    field(record, 'metric_type') === identity.metricType
  );
}

function describe(record: StoredRecord): string {
  const say = (name: string): string => printable(field(record, name), 80) || '?';
  return `${say('backend')} (${say('type')}, dimension ${say('dimension')}) at ${say('endpoint')}`;
}

/**
 * A record is ours when it leads to this endpoint, when this very operator answers at its address, or when it is of the
 * same kind and Phantoscope finds nobody at its address any more.
 */
async function assertReplaceable(
  record: StoredRecord,
  request: RegistrationRequest,
  name: string,
  context: RegistrationContext,
): Promise<void> {
  const stored = field(record, 'endpoint');
  if (sameEndpoint(stored, request.endpoint.text)) return;
  const own = await identityAt(stored, context);
  if (own && sameEndpoint(own.endpoint, request.endpoint.text)) return;
  const ourKind = await identityAt(request.endpoint.text, context);
  if (ourKind?.name !== field(record, 'backend')) {
    throw taken(name, describe(record), request.apiUrl);
  }
  if (!own && (await isDead(name, context))) return;
  throw taken(name, `${describe(record)}, which is alive`, request.apiUrl);
}

async function identityAt(
  endpoint: string,
  context: RegistrationContext,
): Promise<Identity | undefined> {
  const client = context.connect(endpoint, { signal: context.signal, timeoutMs: 3000 });
  try {
    return (await client.identity()).identity;
  } catch {
    context.signal.throwIfAborted();
    return undefined;
  } finally {
    client.close();
  }
}

/** The API server's own view of it; where that cannot be had, the operator counts as alive. */
async function isDead(name: string, { rest, signal }: RegistrationContext): Promise<boolean> {
  try {
    const reply = await rest.call({
      method: 'GET',
      path: `${operatorPath(name)}/health`,
      timeoutMs: callbackTimeoutMs,
    });
    // The bare word, though it is labelled as JSON; any error of Phantoscope's is a status of its own.
    return reply.status >= 500 && reply.status !== 502 && reply.status !== 504;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

function regist({ rest }: RegistrationContext, name: string, endpoint: string): Promise<RestReply> {
  return rest.call({
    method: 'POST',
    path: '/v1/operator/regist',
    body: { endpoint, name },
    timeoutMs: callbackTimeoutMs,
  });
}

/** Puts back what was replaced, as far as it still answers. */
async function restore(
  record: StoredRecord,
  name: string,
  context: RegistrationContext,
): Promise<void> {
  try {
    await regist(context, name, field(record, 'endpoint'));
  } catch {
    context.signal.throwIfAborted();
  }
}

function notStored(reply: RestReply, { endpoint, apiUrl }: RegistrationRequest): PhantoscopeError {
  const answer = describeReply(reply);
  if (reply.status === 200) {
    return new PhantoscopeError(
      'not-phantoscope',
      `${apiUrl} accepted the registration (${answer}), but does not know the operator afterwards`,
    );
  }
  if (reply.status === 404 || reply.status === 405) {
    return new PhantoscopeError(
      'not-phantoscope',
      `${apiUrl} has no /v1/operator/regist (${answer}): this is not Phantoscope v0.1; try --api v0.2`,
    );
  }
  if (reply.status < 500) {
    return new PhantoscopeError('refused', `Phantoscope at ${apiUrl} refused: ${answer}`);
  }
  // The same 503 for a name that is taken and for an endpoint out of reach; the name is free.
  return new PhantoscopeError(
    'refused',
    `Phantoscope at ${apiUrl} did not register ${endpoint.text} (${answer}): it could not reach the operator there. ` +
      unreachableFromPhantoscope(endpoint, apiUrl),
  );
}
