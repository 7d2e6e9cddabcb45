/** Puts back what a replacement took away in v0.2. */
import { printable, reason } from './failure.ts';
import { deleteInstance, ensureInstance, findInstance, isRunning } from './instances-v02.ts';
import { deleteOperator, field, findOperator, type StoredRecord } from './operator-record.ts';
import { fieldsIn, fieldsOf, holds, storeRecord } from './record-v02.ts';
import type { ImageRecord, RegistrationContext } from './registration.ts';

interface Replacement {
  readonly found: StoredRecord;
  /** The instance as it was, undefined where there was none. */
  readonly before: StoredRecord | undefined;
  readonly name: string;
  /** What was to take its place. */
  readonly image: ImageRecord;
}

/** @returns a sentence about what has become of the old record and its instance; throws nothing */
export async function restoreV02(
  replacement: Replacement,
  context: RegistrationContext,
): Promise<string> {
  const was = printable(field(replacement.found, 'addr'), 120) || '?';
  try {
    return await restore(replacement, was, context);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : reason(thrown);
    return `The older record, of ${was}, could not be put back (${why}): register that image again`;
  }
}

async function restore(
  { found, before, name, image }: Replacement,
  was: string,
  context: RegistrationContext,
): Promise<string> {
  const old = fieldsIn(found);
  let log = '';
  const now = await findOperator(context.rest, name);
  if (now && !holds(now, old)) {
    if (!holds(now, fieldsOf(image))) return 'Somebody else has registered the name meanwhile';
    // The API server finds containers by their record: ours goes while that is there.
    const instance = await findInstance(context, name, image.instance);
    const ours = instance && field(instance, 'id') !== (before ? field(before, 'id') : '');
    if (ours) {
      await deleteInstance(context, name, image.instance);
      log = `. The container that failed is gone with its log: "docker run --rm ${image.image}" shows what it says`;
    }
    await deleteOperator(context.rest, name);
  }
  if (!now || !holds(now, old)) await storeRecord(name, old, context);
  if (!before || !isRunning(before)) return `The older record, of ${was}, is back${log}`;
  const { instance, done } = await ensureInstance(context, name, image.instance, old.addr);
  const anew = done === 'created' ? ', a new container: make its pipelines anew' : '';
  return `The older record, of ${was}, is back, and its instance runs at ${printable(field(instance, 'endpoint'), 80)}${anew}${log}`;
}
