/** What passes between the pipeline and a decoding thread: one image at a time, so nothing needs a number. */
import type { ErrorCode } from '../errors.ts';
import type { EncodedImage, PreparedImage } from './pipeline.ts';
import type { PrepareOptions } from './prepare-image.ts';

/** The thread's `workerData`. */
export type WorkerSettings = PrepareOptions;

export type ToWorker =
  | { readonly type: 'prepare'; readonly image: EncodedImage }
  /** The answers to `ask`: go on, or give up because nobody waits any more. */
  | { readonly type: 'grant' }
  | { readonly type: 'refuse' };

export type FromWorker =
  /** The header is read; decoding will take about so much memory. */
  | { readonly type: 'ask'; readonly bytes: number }
  | { readonly type: 'prepared'; readonly image: PreparedImage }
  /** An OperatorError in parts: an Error loses its class on the way. */
  | {
      readonly type: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly cause: string | undefined;
    };
