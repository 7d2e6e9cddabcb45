/** Reading what Phantoscope stores of an operator. */
import { PhantoscopeError } from './failure.ts';
import { asRecord, describeReply, type Rest } from './rest.ts';

export type StoredRecord = Readonly<Record<string, unknown>>;

/** A field as text; v0.1 prefixes every field with an underscore, v0.2 none. Numbers (`_dimension`) as written. */
export function field(record: StoredRecord, name: string): string {
  const value = record[name] ?? record[`_${name}`];
  return value === undefined || value === null ? '' : String(value);
}

export const operatorPath = (name: string): string => `/v1/operator/${encodeURIComponent(name)}`;

/** MySQL compares without regard to case: v0.1 finds "resnet" as "ResNet". */
const sameName = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/**
 * What is stored under a name, undefined where there is nothing.
 * @throws PhantoscopeError when the API server is not up yet, or is none
 */
export async function findOperator(rest: Rest, name: string): Promise<StoredRecord | undefined> {
  const reply = await rest.call({ method: 'GET', path: operatorPath(name) });
  const record = asRecord(reply.json);
  if (reply.status === 404 && record) return undefined;
  if (reply.status === 200 && record && sameName(field(record, 'name'), name)) return record;
  throw unexpected(rest, `GET ${operatorPath(name)}`, describeReply(reply), reply.status);
}

/** Takes a record away; one that is gone already is no error. */
export async function deleteOperator(rest: Rest, name: string): Promise<void> {
  const reply = await rest.call({ method: 'DELETE', path: operatorPath(name) });
  if (reply.status === 200 || (reply.status === 404 && asRecord(reply.json))) return;
  throw unexpected(rest, `DELETE ${operatorPath(name)}`, describeReply(reply), reply.status);
}

/** An answer that fits no version of the API: a server error is Phantoscope's or its database's, the rest is not Phantoscope. */
export function unexpected(
  rest: Rest,
  request: string,
  answer: string,
  status: number,
): PhantoscopeError {
  return status >= 500
    ? new PhantoscopeError(
        'unreachable',
        `${rest.url} answered ${request} with ${answer}: is Phantoscope, or its database, still starting?`,
      )
    : new PhantoscopeError(
        'not-phantoscope',
        `${rest.url} answered ${request} with ${answer}: this is not what Phantoscope's API answers`,
      );
}
