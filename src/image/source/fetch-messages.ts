/** What passes between the fetcher and its thread; `id` numbers the fetches. */
import type { ErrorCode } from '../../errors.ts';

export type ToFetchWorker =
  | { readonly type: 'fetch'; readonly id: number; readonly url: string }
  /** Nobody waits any more; answered by `failed`, or by a `file` that was on its way. */
  | { readonly type: 'abort'; readonly id: number }
  /** The file is no longer held. */
  | { readonly type: 'released'; readonly id: number };

export type FromFetchWorker =
  | { readonly type: 'file'; readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> }
  /** An OperatorError in parts: an Error loses its class on the way. */
  | {
      readonly type: 'failed';
      readonly id: number;
      readonly code: ErrorCode;
      readonly message: string;
      readonly cause: string | undefined;
    };
