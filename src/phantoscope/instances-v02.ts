/** The containers that Phantoscope v0.2 starts from an operator's image. */
import { PhantoscopeError, printable } from './failure.ts';
import { field, operatorPath, type StoredRecord, unexpected } from './operator-record.ts';
import type { RegistrationContext } from './registration.ts';
import { asRecord, describeReply, type RestReply } from './rest.ts';

/** Docker may have to pull the image within the request. */
const startTimeoutMs = 120_000;
/** From "created" to "running" is a matter of a second or two. */
const runningWithinMs = 30_000;

export const containerName = (operator: string, instance: string): string =>
  `phantoscope_${operator}_${instance}`;

/** The instance, undefined where there is none. */
export async function findInstance(
  context: RegistrationContext,
  operator: string,
  instance: string,
): Promise<StoredRecord | undefined> {
  const name = containerName(operator, instance);
  return (await listInstances(context, operator)).find((entry) => field(entry, 'name') === name);
}

/**
 * Names of instances of the operator other than this one; an operator whose name begins with this one's and "_" makes some
 * that look so, too.
 */
export async function otherInstances(
  context: RegistrationContext,
  operator: string,
  instance: string,
): Promise<string[]> {
  const prefix = containerName(operator, '');
  return (await listInstances(context, operator))
    .map((entry) => field(entry, 'name'))
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
    .filter((other) => other !== instance);
}

/** Docker's filter matches any part of a name: the list holds other operators' containers as well. */
async function listInstances(
  context: RegistrationContext,
  operator: string,
): Promise<StoredRecord[]> {
  const path = `${operatorPath(operator)}/instances`;
  const reply = await context.rest.call({ method: 'GET', path });
  if (reply.status !== 200 || !Array.isArray(reply.json)) {
    throw unexpected(context.rest, `GET ${path}`, describeReply(reply), reply.status);
  }
  return reply.json.map(asRecord).filter((entry) => entry !== undefined);
}

/** Has the instance running. @returns it, and what this call had to do for that */
export async function ensureInstance(
  context: RegistrationContext,
  operator: string,
  instance: string,
  image: string,
): Promise<{ instance: StoredRecord; done: 'nothing' | 'started' | 'created' }> {
  const found = await findInstance(context, operator, instance);
  if (found && isRunning(found)) return { instance: found, done: 'nothing' };
  const reply = await (found
    ? post(context, `${path(operator, instance)}/start`)
    : create(context, operator, instance));
  const now = await waitUntilRunning(context, operator, instance);
  if (now && isRunning(now)) return { instance: now, done: found ? 'started' : 'created' };
  const container = containerName(operator, instance);
  throw new PhantoscopeError(
    'refused',
    now
      ? `the container ${container} is ${printable(field(now, 'status'), 20)}, not running: see "docker logs ${container}" on ` +
          'the host of Phantoscope'
      : `Phantoscope at ${context.rest.url} did not start ${image} as ${container} (${describeReply(reply)}): is the image on ` +
          `that host ("docker pull ${image}")?`,
  );
}

/** Removes the container, running or not; one that is gone already is no error. */
export async function deleteInstance(
  context: RegistrationContext,
  operator: string,
  instance: string,
): Promise<void> {
  const reply = await context.rest.call({
    method: 'DELETE',
    path: path(operator, instance),
    timeoutMs: startTimeoutMs,
  });
  if (reply.status === 200 || !(await findInstance(context, operator, instance))) return;
  throw new PhantoscopeError(
    'refused',
    `Phantoscope at ${context.rest.url} did not remove ${containerName(operator, instance)}: ${describeReply(reply)}`,
  );
}

const path = (operator: string, instance: string): string =>
  `${operatorPath(operator)}/instances/${encodeURIComponent(instance)}`;

export const isRunning = (instance: StoredRecord): boolean =>
  field(instance, 'status') === 'running';

function post(
  { rest }: RegistrationContext,
  to: string,
  body?: Record<string, string>,
): Promise<RestReply> {
  return rest.call({ method: 'POST', path: to, timeoutMs: startTimeoutMs, ...(body && { body }) });
}

/** Released v0.2.0 takes the name from the path; builds made after it take a body, and have no POST on that path. */
async function create(
  context: RegistrationContext,
  operator: string,
  instance: string,
): Promise<RestReply> {
  const reply = await post(context, path(operator, instance));
  const noSuchRoute = reply.status === 405 || (reply.status === 404 && !asRecord(reply.json));
  if (!noSuchRoute) return reply;
  return post(context, `${operatorPath(operator)}/instances`, { instanceName: instance });
}

async function waitUntilRunning(
  context: RegistrationContext,
  operator: string,
  instance: string,
): Promise<StoredRecord | undefined> {
  const until = context.clock.now() + runningWithinMs;
  for (;;) {
    const found = await findInstance(context, operator, instance);
    // Anything but these two is on its way nowhere: exited, dead, paused.
    const pending = found && ['created', 'restarting'].includes(field(found, 'status'));
    if (!pending || context.clock.now() >= until) return found;
    await context.clock.sleep(500, context.signal);
  }
}
