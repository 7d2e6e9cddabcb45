import type { ThreadParts } from './open-thread.ts';

/** To a thread: what to run, once, or an image to take part in. */
export type ToThread =
  | ({ readonly type: 'open' } & Omit<ThreadParts, 'index'>)
  | { readonly type: 'join'; readonly context: number };

/** What a thread is started with. */
export interface ThreadData {
  readonly index: number;
}

/** From a thread. */
export type FromThread =
  | { readonly type: 'opened' }
  | { readonly type: 'failed'; readonly message: string }
  /** It has left the image: the image is finished, unless the engine failed. */
  | { readonly type: 'left'; readonly context: number };
