/** What Phantoscope v0.2 stores of an operator: an image and who made it. */
import { PhantoscopeError, printable } from './failure.ts';
import { field, findOperator, type StoredRecord } from './operator-record.ts';
import {
  type ImageRecord,
  type RegistrationContext,
  type RegistrationRequest,
  taken,
} from './registration.ts';
import { describeReply } from './rest.ts';

/** As the API server wants it, and stores it. */
export type RecordFields = Readonly<Record<(typeof names)[number], string>>;
const names = ['addr', 'author', 'type', 'description', 'version'] as const;

export const fieldsOf = ({
  image,
  author,
  type,
  description,
  version,
}: ImageRecord): RecordFields => ({
  addr: image,
  author,
  type,
  description,
  version,
});

export const fieldsIn = (record: StoredRecord): RecordFields =>
  Object.fromEntries(names.map((name) => [name, field(record, name)])) as RecordFields;

const differing = (record: StoredRecord, fields: RecordFields): (typeof names)[number][] =>
  names.filter((name) => field(record, name) !== fields[name]);

export const holds = (record: StoredRecord, fields: RecordFields): boolean =>
  differing(record, fields).length === 0;

/** An image's name without tag and digest. */
export const repository = (image: string): string =>
  image
    .replace(/@.*$/, '')
    .replace(/:[^:/]*$/, '')
    .toLowerCase();

/** The first time, another tag of the same image is an older self. @throws PhantoscopeError `taken` */
export function assertReplaceable(
  found: StoredRecord,
  name: string,
  fields: RecordFields,
  { apiUrl, replace, onceRegistered }: RegistrationRequest,
): void {
  if (replace) return;
  const say = (text: string): string => printable(text, 120) || '?';
  const sameImage = repository(field(found, 'addr')) === repository(fields.addr);
  if (!sameImage) {
    const by = `the image ${say(field(found, 'addr'))} of ${say(field(found, 'author'))}`;
    throw taken(name, by, apiUrl);
  }
  if (!onceRegistered) return;
  const differences = differing(found, fields).map(
    (key) => `${key} "${say(field(found, key))}" instead of "${say(fields[key])}"`,
  );
  throw taken(name, `another record of that image, with ${differences.join(', ')}`, apiUrl);
}

/** @throws PhantoscopeError where the record is not there afterwards, as it should be */
export async function storeRecord(
  name: string,
  fields: RecordFields,
  { rest }: RegistrationContext,
): Promise<void> {
  const path = '/v1/operator/register';
  const reply = await rest.call({ method: 'POST', path, body: { name, ...fields } });
  const stored = await findOperator(rest, name);
  if (stored && holds(stored, fields)) return;
  if (reply.status === 200) {
    throw new PhantoscopeError(
      'not-phantoscope',
      `${rest.url} accepted the registration, but ${stored ? 'stored something else' : 'does not know the operator afterwards'}`,
    );
  }
  if (reply.status === 404 || reply.status === 405) {
    throw new PhantoscopeError(
      'not-phantoscope',
      `${rest.url} has no POST ${path} (${describeReply(reply)}): this is not Phantoscope v0.2; try --api v0.1`,
    );
  }
  throw new PhantoscopeError(
    'refused',
    `Phantoscope at ${rest.url} refused: ${describeReply(reply)}`,
  );
}
