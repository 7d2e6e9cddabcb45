/** Phantoscope v0.1: an endpoint is registered, and the API server asks it who it is. */
import { sameEndpoint, unreachableFromPhantoscope } from './advertised-endpoint.ts';
import { PhantoscopeError } from './failure.ts';
import type { Identity } from './operator-client.ts';
import { deleteOperator, field, findOperator, type StoredRecord } from './operator-record.ts';
import { afterPuttingBack } from './put-back.ts';
import { describe, regist, restoreV01 } from './record-v01.ts';
import {
  checkName,
  type Outcome,
  type RegistrationContext,
  type RegistrationRequest,
  taken,
  type Unregistered,
} from './registration.ts';
import { assertReplaceable } from './replaceable-v01.ts';
import { describeReply, type RestReply } from './rest.ts';
import { checkOwnEndpoint } from './self-check.ts';

/** Ends in the registered state however often it runs. @throws PhantoscopeError */
export async function registerV01(
  request: RegistrationRequest,
  context: RegistrationContext,
): Promise<Outcome> {
  const { rest, connect, signal } = context;
  const { identity } = await checkOwnEndpoint({ ...request, connect, signal });
  const name = request.name ?? identity.name;
  const notes = checkName(name);
  const sent = { api: 'v0.1', name, ownRecord: true } as const;
  const outcome = { ...sent, endpoint: identity.endpoint, notes };

  const found = await findOperator(rest, name);
  if (found && isThis(found, identity)) return { ...outcome, ownRecord: false, state: 'unchanged' };
  if (found && !request.replace) await assertReplaceable(found, request, name, context);
  context.sending(sent);
  if (!found) {
    await store(name, identity, request, context);
    return { ...outcome, state: 'registered' };
  }
  try {
    await deleteOperator(rest, name);
    await store(name, identity, request, context);
    return { ...outcome, state: 'replaced' };
  } catch (thrown) {
    const restore = () => restoreV01(found, name, context.late());
    throw await afterPuttingBack(thrown, signal, restore);
  }
}

/** @throws PhantoscopeError where this operator is not stored under the name afterwards */
async function store(
  name: string,
  identity: Identity,
  request: RegistrationRequest,
  context: RegistrationContext,
): Promise<void> {
  const { endpoint, apiUrl } = request;
  const answer = await regist(context, name, endpoint.text).catch((thrown: unknown) => {
    context.signal.throwIfAborted();
    return thrown;
  });
  // An answer that was lost says nothing about what was done.
  const stored = await findOperator(context.rest, name).catch((thrown: unknown) => {
    throw isReply(answer) ? thrown : answer;
  });
  if (stored && isThis(stored, identity)) return;
  if (!isReply(answer)) throw answer;
  if (!stored) throw notStored(answer, request);
  if (answer.status !== 200) throw taken(name, describe(stored), apiUrl);
  throw new PhantoscopeError(
    'not-phantoscope',
    `${apiUrl} accepted the registration, but stored something else: ${describe(stored)}`,
  );
}

const isReply = (answer: unknown): answer is RestReply =>
  typeof answer === 'object' && answer !== null && 'status' in answer;

/** Whether the record still leads to this operator; calls nobody but the API server. */
export async function isRegisteredV01(
  outcome: Outcome,
  { rest }: RegistrationContext,
): Promise<boolean> {
  const found = await findOperator(rest, outcome.name);
  return found !== undefined && sameEndpoint(field(found, 'endpoint'), outcome.endpoint);
}

/** Takes the record away if it leads here. */
export async function unregisterV01(
  name: string,
  request: RegistrationRequest,
  { rest }: RegistrationContext,
): Promise<Unregistered> {
  const found = await findOperator(rest, name);
  if (!found) return 'absent';
  if (!sameEndpoint(field(found, 'endpoint'), request.endpoint.text)) return 'elsewhere';
  await deleteOperator(rest, name);
  return 'removed';
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
