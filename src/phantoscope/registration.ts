/** What is to be registered and what came of it; shared by both versions of the API. */

import type { Endpoint } from '../endpoint.ts';
import type { ApiVersion } from './detect-version.ts';
import { PhantoscopeError } from './failure.ts';
import type { ConnectOperator } from './operator-client.ts';
import type { Rest } from './rest.ts';

/** What v0.2 stores: it starts the operator itself, from an image. */
export interface ImageRecord {
  /** With its tag, `psoperator/resnet50_encoder:latest`. */
  readonly image: string;
  readonly author: string;
  readonly description: string;
  readonly version: string;
  /** `encoder` or `processor`. */
  readonly type: string;
  /** The container becomes `phantoscope_<name>_<instance>`. */
  readonly instance: string;
}

export interface RegistrationRequest {
  /** As parseApiUrl returns it. */
  readonly apiUrl: string;
  readonly api: ApiVersion | 'auto';
  /** Under which name; undefined: in v0.1 the one that Identity says, in v0.2 the image's. */
  readonly name?: string | undefined;
  readonly endpoint: Endpoint;
  /** Take the name even from another operator. */
  readonly replace: boolean;
  /** This process has had the name already: in v0.2 a record that differs by now is another's, of the same image or not. */
  readonly onceRegistered?: boolean | undefined;
  readonly allowUntrained: boolean;
  readonly expectModelId?: (() => string) | undefined;
  /** Needed by v0.2 only. */
  readonly image?: ImageRecord | undefined;
}

/** What the API server has been asked to store, whether its answer has come or not. */
export interface Sent {
  readonly api: ApiVersion;
  readonly name: string;
  /** Whether the record is one that this process makes, and has not found. */
  readonly ownRecord: boolean;
}

export interface Outcome extends Sent {
  readonly state: 'registered' | 'unchanged' | 'replaced';
  /** Where Phantoscope will call the operator. */
  readonly endpoint: string;
  /** Sentences for the person who registers. */
  readonly notes: readonly string[];
}

/** What unregistering found: nothing under the name, or what is another's by now, and is left. */
export type Unregistered = 'removed' | 'absent' | 'elsewhere';

export interface Clock {
  /** Milliseconds, only differences matter. */
  now(): number;
  /** @throws the signal's reason when it is aborted */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** What the steps of a registration need besides the request. */
export interface RegistrationContext {
  readonly rest: Rest;
  readonly connect: ConnectOperator;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** To be called before anything is asked for that the API server might do after its answer is no longer awaited. */
  readonly sending: (sent: Sent) => void;
  /** For putting back what was taken away: goes on for a while when `signal` is aborted. */
  readonly late: () => RegistrationContext;
}

/**
 * Phantoscope builds paths, MySQL keys (80 characters), container names and Milvus collections from the name.
 * @returns a note where the name is allowed but will not do for everything
 * @throws PhantoscopeError `options`
 */
export function checkName(name: string): string[] {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$/.test(name)) {
    throw new PhantoscopeError(
      'options',
      `--name ${JSON.stringify(name)}: a name has 1 to 80 letters, digits, "_", "." or "-", and does not begin with a dot or a dash`,
    );
  }
  if (/^\w+$/.test(name)) return [];
  return [
    `Milvus allows only letters, digits and "_" in the names of collections, and Phantoscope v0.1 names them after the ` +
      `pipeline and the operator: "${name.replace(/\W/g, '_')}" is a safer name than "${name}".`,
  ];
}

export function taken(name: string, by: string, apiUrl: string): PhantoscopeError {
  return new PhantoscopeError(
    'taken',
    `the name "${name}" at ${apiUrl} belongs to ${by}: give another --name, or take it with --replace`,
  );
}
