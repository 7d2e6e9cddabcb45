/** Phantoscope v0.2: an image is registered, and the API server starts a container of it as an instance. */
import { checkInstance } from './ask-instance.ts';
import { isAnswer, PhantoscopeError } from './failure.ts';
import {
  containerName,
  deleteInstance,
  ensureInstance,
  findInstance,
  isRunning,
  otherInstances,
} from './instances-v02.ts';
import { deleteOperator, field, findOperator, type StoredRecord } from './operator-record.ts';
import { afterPuttingBack, sentences } from './put-back.ts';
import { assertReplaceable, fieldsOf, holds, repository, storeRecord } from './record-v02.ts';
import {
  checkName,
  type ImageRecord,
  type Outcome,
  type RegistrationContext,
  type RegistrationRequest,
  type Unregistered,
} from './registration.ts';
import { restoreV02 } from './restore-v02.ts';

/** Ends with the record stored and the instance running however often it runs. @throws PhantoscopeError */
export async function registerV02(
  request: RegistrationRequest,
  context: RegistrationContext,
): Promise<Outcome> {
  const { name, image } = complete(request);
  const notes = checkName(name);
  const found = await findOperator(context.rest, name);
  const ownRecord = !found || !holds(found, fieldsOf(image));
  if (found && ownRecord) assertReplaceable(found, name, fieldsOf(image), request);
  const before = found && (await findInstance(context, name, image.instance));

  const sent = { api: 'v0.2', name, ownRecord } as const;
  context.sending(sent);
  const step = { name, image, request, context };
  const run = !ownRecord
    ? await runInstance(step)
    : found
      ? await replace(step, found, before)
      : await make(step);
  const unchanged = run.created ? 'registered' : 'unchanged';
  return {
    ...sent,
    state: !ownRecord ? unchanged : found ? 'replaced' : 'registered',
    endpoint: run.endpoint,
    notes: [...notes, ...run.notes],
  };
}

/** Whether the record is there and its instance runs. */
export async function isRegisteredV02(
  request: RegistrationRequest,
  context: RegistrationContext,
): Promise<boolean> {
  const { name, image } = complete(request);
  const found = await findOperator(context.rest, name);
  if (!found || !holds(found, fieldsOf(image))) return false;
  const instance = await findInstance(context, name, image.instance);
  return instance !== undefined && isRunning(instance);
}

/**
 * Takes the instance away if the record is as it was registered, and the record with it if it is this process's own and no
 * other instance needs it.
 */
export async function unregisterV02(
  request: RegistrationRequest,
  ownRecord: boolean,
  context: RegistrationContext,
): Promise<Unregistered> {
  const { name, image } = complete(request);
  const found = await findOperator(context.rest, name);
  if (!found) return 'absent';
  if (!holds(found, fieldsOf(image))) return 'elsewhere';
  await deleteInstance(context, name, image.instance);
  const others = await otherInstances(context, name, image.instance);
  if (ownRecord && others.length === 0) await deleteOperator(context.rest, name);
  return 'removed';
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

interface Step {
  readonly name: string;
  readonly image: ImageRecord;
  readonly request: RegistrationRequest;
  readonly context: RegistrationContext;
}

interface Run {
  readonly endpoint: string;
  /** Whether the instance was made, and not found. */
  readonly created: boolean;
  readonly notes: readonly string[];
}

/** The record is there: has its instance running. One that was made and will not do is removed again. */
async function runInstance({ name, image, request, context }: Step): Promise<Run> {
  const { instance, done } = await ensureInstance(context, name, image.instance, image.image);
  const created = done === 'created';
  try {
    const notes = await checkInstance(instance, done, name, image, request, context);
    return { endpoint: field(instance, 'endpoint'), created, notes };
  } catch (thrown) {
    if (created && thrown instanceof PhantoscopeError) {
      await deleteInstance(context, name, image.instance);
    }
    throw thrown;
  }
}

/** There is no record yet; a container without one is of nobody knows which image. */
async function make(step: Step): Promise<Run> {
  const { name, image, context } = step;
  await storeRecord(name, fieldsOf(image), context);
  const leftOver = await findInstance(context, name, image.instance);
  if (leftOver) await deleteInstance(context, name, image.instance);
  try {
    const run = await runInstance(step);
    if (!leftOver) return run;
    const container = containerName(name, image.instance);
    const note = `A container ${container} was left over without a record; it has been made anew from ${image.image}.`;
    return { ...run, notes: [note, ...run.notes] };
  } catch (thrown) {
    // A start that takes too long may yet end well: the next run finds the record.
    if (!isAnswer(thrown)) throw thrown;
    await deleteOperator(context.rest, name);
    const message = sentences(thrown.message, 'The record that was made for it is removed again');
    throw new PhantoscopeError(thrown.kind, message, thrown);
  }
}

/** Another record goes: its container too, if that is of another image. */
async function replace(
  step: Step,
  found: StoredRecord,
  before: StoredRecord | undefined,
): Promise<Run> {
  const { name, image, context } = step;
  const was = field(found, 'addr');
  try {
    await deleteOperator(context.rest, name);
    await storeRecord(name, fieldsOf(image), context);
    if (was === image.image) return await runInstance(step);
    if (before) await deleteInstance(context, name, image.instance);
    const run = await runInstance(step);
    const others = await otherInstances(context, name, image.instance);
    if (others.length === 0) return run;
    const note =
      `Other containers of "${name}" stay as they are, from ${was}: ${others.join(', ')}. ` +
      'Delete each and register it again with --instance, and it is made from the new image.';
    return { ...run, notes: [...run.notes, note] };
  } catch (thrown) {
    const restore = () => restoreV02({ found, before, name, image }, context.late());
    throw await afterPuttingBack(thrown, context.signal, restore);
  }
}
