/** Which record of Phantoscope v0.1 a new one may take the place of, and whether Phantoscope still finds its operator. */
import { sameEndpoint } from './advertised-endpoint.ts';
import type { Identity } from './operator-client.ts';
import { field, operatorPath, type StoredRecord } from './operator-record.ts';
import { callbackTimeoutMs, describe } from './record-v01.ts';
import { type RegistrationContext, type RegistrationRequest, taken } from './registration.ts';
import { asRecord, type RestReply } from './rest.ts';

/**
 * A record is ours when it leads to this endpoint, when this very operator answers at its address, or when it is of the
 * same kind and Phantoscope finds nobody at its address any more.
 */
export async function assertReplaceable(
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
    const path = `${operatorPath(name)}/health`;
    return saysUnreachable(await rest.call({ method: 'GET', path, timeoutMs: callbackTimeoutMs }));
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

/**
 * Phantoscope's own error, or the page of Flask, on which it stands, for one that nobody caught. A proxy in front has pages
 * with the same statuses for troubles of its own, and a failing database says nothing about the operator.
 */
function saysUnreachable({ status, json, text }: RestReply): boolean {
  const body = asRecord(json);
  if (body)
    return [500, 503].includes(status) && 'message' in body && !/SQL/.test(field(body, 'error'));
  const flask =
    /^<!doctype html[^>]*>\s*(<html[^>]*>\s*)?<title>500 Internal Server Error<\/title>\s*<h1>Internal Server Error<\/h1>/i;
  return status === 500 && flask.test(text);
}
