/** Phantoscope v0.2: an image is registered, and the API server starts a container of it as an instance. */
import { PhantoscopeError, printable } from './failure.ts';
import {
  containerName,
  deleteInstance,
  ensureInstance,
  findInstance,
  isRunning,
} from './instances-v02.ts';
import type { IdentityAnswer } from './operator-client.ts';
import { deleteOperator, field, findOperator, type StoredRecord } from './operator-record.ts';
import {
  checkName,
  type ImageRecord,
  type Outcome,
  type RegistrationContext,
  type RegistrationRequest,
  taken,
} from './registration.ts';
import { describeReply } from './rest.ts';

/** Loading the model takes the container a few seconds. */
const answersWithinMs = 20_000;

/** Ends with the record stored and the instance running however often it runs. @throws PhantoscopeError */
export async function registerV02(
  request: RegistrationRequest,
  context: RegistrationContext,
): Promise<Outcome> {
  const { rest } = context;
  const { name, image } = complete(request);
  const notes = checkName(name);
  const record = await ensureRecord(request, name, image, context);
  if (record === 'replaced') await deleteInstance(context, name, image.instance);
  const { instance, created } = await ensureInstance(context, name, image.instance, image.image);
  const undo = async (): Promise<void> => {
    if (created) await deleteInstance(context, name, image.instance);
    if (record !== 'unchanged') await deleteOperator(rest, name);
  };
  notes.push(...(await checkWeights(instance, created, request, name, image, context, undo)));
  const state = record === 'unchanged' && created ? 'registered' : record;
  return { api: 'v0.2', state, name, endpoint: field(instance, 'endpoint'), notes };
}

/** Whether the record is there and its instance runs. */
export async function isRegisteredV02(
  request: RegistrationRequest,
  context: RegistrationContext,
): Promise<boolean> {
  const { name, image } = complete(request);
  const found = await findOperator(context.rest, name);
  if (!found || !isThis(found, image)) return false;
  const instance = await findInstance(context, name, image.instance);
  return instance !== undefined && isRunning(instance);
}

/** Takes instance and record away if the record is of this image. @returns whether there was one */
export async function unregisterV02(
  request: RegistrationRequest,
  context: RegistrationContext,
): Promise<boolean> {
  const { name, image } = complete(request);
  const found = await findOperator(context.rest, name);
  if (!found || field(found, 'addr') !== image.image) return false;
  await deleteInstance(context, name, image.instance);
  await deleteOperator(context.rest, name);
  return true;
}

/** The image is needed; without a name it is the image's own. */
function complete({ apiUrl, name, image }: RegistrationRequest): {
  name: string;
  image: ImageRecord;
} {
  if (image) return { image, name: name ?? repository(image.image).replace(/^.*\//, '') };
  throw new PhantoscopeError(
    'options',
    `Phantoscope at ${apiUrl} is v0.2, which starts operators itself, from an image: give --docker-image, for example ` +
      '--docker-image psoperator/resnet50_encoder:latest',
  );
}

async function ensureRecord(
  request: RegistrationRequest,
  name: string,
  image: ImageRecord,
  { rest }: RegistrationContext,
): Promise<Outcome['state']> {
  const found = await findOperator(rest, name);
  if (found && isThis(found, image)) return 'unchanged';
  if (found) {
    const ours = repository(field(found, 'addr')) === repository(image.image);
    if (!ours && !request.replace) {
      const by = `the image ${printable(field(found, 'addr'), 120) || '?'} of ${printable(field(found, 'author'), 60) || '?'}`;
      throw taken(name, by, request.apiUrl);
    }
    await deleteOperator(rest, name);
  }
  const { author, description, version, type } = image;
  const reply = await rest.call({
    method: 'POST',
    path: '/v1/operator/register',
    body: { name, addr: image.image, author, type, description, version },
  });
  const stored = await findOperator(rest, name);
  if (stored && isThis(stored, image)) return found ? 'replaced' : 'registered';
  if (reply.status === 200) {
    throw new PhantoscopeError(
      'not-phantoscope',
      `${rest.url} accepted the registration, but ${stored ? 'stored something else' : 'does not know the operator afterwards'}`,
    );
  }
  if (reply.status === 404 || reply.status === 405) {
    throw new PhantoscopeError(
      'not-phantoscope',
      `${rest.url} has no POST /v1/operator/register (${describeReply(reply)}): this is not Phantoscope v0.2; try --api v0.1`,
    );
  }
  throw new PhantoscopeError(
    'refused',
    `Phantoscope at ${rest.url} refused: ${describeReply(reply)}`,
  );
}

function isThis(record: StoredRecord, image: ImageRecord): boolean {
  return (
    field(record, 'addr') === image.image &&
    field(record, 'author') === image.author &&
    field(record, 'type') === image.type &&
    field(record, 'description') === image.description &&
    field(record, 'version') === image.version
  );
}

/** An image's name without tag and digest. */
const repository = (image: string): string =>
  image
    .replace(/@.*$/, '')
    .replace(/:[^:/]*$/, '')
    .toLowerCase();

/** Only now something runs that can be asked what weights it serves, if there is a way to it from here. */
async function checkWeights(
  instance: StoredRecord,
  created: boolean,
  request: RegistrationRequest,
  name: string,
  image: ImageRecord,
  context: RegistrationContext,
  undo: () => Promise<void>,
): Promise<string[]> {
  const answer = await askInstance(instance, context, created ? answersWithinMs : 0);
  const container = containerName(name, image.instance);
  if (!answer) {
    return [
      `The container ${container} cannot be reached from here, so nobody has looked whether its weights are trained: ` +
        `run "resnet50-encoder check -e ${printable(field(instance, 'endpoint'), 80)}" on the host of Phantoscope.`,
    ];
  }
  if (answer.trained || request.allowUntrained) return [];
  await undo();
  throw new PhantoscopeError(
    'untrained',
    `the image ${image.image} serves untrained weights (${printable(answer.modelId ?? '?')}): its vectors mean nothing. ` +
      'Use an image with a trained model, or register it all the same with --allow-untrained. What was made for it is removed again',
  );
}

/** Asks the container at its own address, or at the port that is published on Phantoscope's host. */
async function askInstance(
  instance: StoredRecord,
  context: RegistrationContext,
  withinMs: number,
): Promise<IdentityAnswer | undefined> {
  const places = [field(instance, 'endpoint'), published(instance, context.rest.url)].filter(
    (place) => /^[\w.:[\]-]+:\d+$/.test(place),
  );
  const until = context.clock.now() + withinMs;
  for (;;) {
    for (const place of places) {
      const client = context.connect(place, { signal: context.signal, timeoutMs: 2000 });
      try {
        return await client.identity();
      } catch {
        context.signal.throwIfAborted();
      } finally {
        client.close();
      }
    }
    if (places.length === 0 || context.clock.now() >= until) return undefined;
    await context.clock.sleep(1000, context.signal);
  }
}

/** Docker's `{"80/tcp": [{"HostIp": …, "HostPort": "32768"}]}`. */
function published(instance: StoredRecord, apiUrl: string): string {
  const ports = instance.ports ?? instance._ports;
  const port = /"HostPort":\s*"(\d{1,5})"/.exec(JSON.stringify(ports ?? null))?.[1];
  return port ? `${new URL(apiUrl).hostname}:${port}` : '';
}
