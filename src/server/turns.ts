/**
 * The network's thread in small slices. Sixty-four clients that connect and send at the same moment are a tenth of a second of
 * work, and sockets are read half a megabyte at a time: done as it comes, whoever asks for Healthy next waits for all of it.
 * So what can wait is done for some milliseconds in each turn of the event loop, and the rest in the turns that follow.
 */
export interface Turns {
  /** Settles when it may be done; `take` for those who can wait. */
  turn(kind: Kind): Promise<void>;
  /**
   * Runs it in this turn if there is time left, else in one of the next. Within a kind first come, first served; of arrivals
   * the newest and the oldest in turn, so that who comes behind a crowd is not behind all of it, and none waits for ever.
   */
  take(kind: Kind, run: () => void): void;
  /** Whether more of a kind may be done without `take`: there is time left in this turn, and nothing waits that goes before. */
  mayGoOn(kind: Kind): boolean;
}

/**
 * In the order of precedence: what is short and may be somebody's Healthy, before what is long and a part of a large upload.
 * `greeting`: a connection whose first bytes are few is opened; `arrival`: the first bytes of a new one are read; `connection`:
 * one is opened that has begun to send much; `call`: an Execute is begun; `piece`: some of its body is taken; `read`: more of
 * it is read.
 */
const kinds = ['greeting', 'arrival', 'connection', 'call', 'piece', 'read'] as const;
export type Kind = (typeof kinds)[number];

/** What follows later in the loop's turn, in milliseconds: the socket is then read, into memory that is new each time. */
const costs: Readonly<Partial<Record<Kind, number>>> = { arrival: 0.2, connection: 1, read: 1 };

export interface TurnsOptions {
  /** Milliseconds. @default 4 */
  readonly length?: number;
  /** A kind that has waited for so many milliseconds goes first, once in a turn: none waits for ever. @default 20 */
  readonly patience?: number;
}

export function createTurns({ length = 4, patience = 20 }: TurnsOptions = {}): Turns {
  const queues = kinds.map((kind) => ({
    kind,
    waiting: [] as (() => void)[],
    /** When one of them was last done, or the first began to wait. */
    last: 0,
  }));
  type Queue = (typeof queues)[number];
  const queueOf = (kind: Kind): Queue => queues[kinds.indexOf(kind)] as Queue;
  let newest = false;
  let ends: number | undefined;
  /** In this turn: something was done, and something that had waited for long. */
  let [done, favoured] = [false, false];

  /** A turn begins with the first that happens in it, and ends with the loop's next round of immediates. */
  function begin(): number {
    if (ends === undefined) {
      ends = performance.now() + length;
      [done, favoured] = [false, false];
      setImmediate(() => {
        ends = undefined;
      });
    }
    return ends;
  }

  const hasTime = (): boolean => performance.now() < begin();

  function next(): Queue | undefined {
    let first: Queue | undefined;
    let longest: Queue | undefined;
    for (const queue of queues) {
      if (queue.waiting.length === 0) continue;
      first ??= queue;
      if (!longest || queue.last < longest.last) longest = queue;
    }
    const time = hasTime();
    if (longest && !favoured && performance.now() - longest.last > patience) {
      favoured = true;
      return longest;
    }
    return time || !done ? first : undefined;
  }

  function start(queue: Queue, run: () => void): void {
    ends = begin() - (costs[queue.kind] ?? 0);
    done = true;
    queue.last = performance.now();
    run();
  }

  function takeFrom({ kind, waiting }: Queue): (() => void) | undefined {
    if (kind !== 'arrival') return waiting.shift();
    newest = !newest;
    return newest ? waiting.pop() : waiting.shift();
  }

  /** One immediate for each that waits: what follows from it in microtasks is counted before the next one's. */
  function proceed(): void {
    const queue = next();
    const run = queue && takeFrom(queue);
    if (queue && run) start(queue, run);
    else setImmediate(proceed);
  }

  const mayGoOn = (kind: Kind): boolean =>
    hasTime() && queues.slice(0, kinds.indexOf(kind)).every(({ waiting }) => waiting.length === 0);

  function take(kind: Kind, run: () => void): void {
    const queue = queueOf(kind);
    if (mayGoOn(kind) && queue.waiting.length === 0) start(queue, run);
    else {
      if (queue.waiting.push(run) === 1) queue.last = performance.now();
      setImmediate(proceed);
    }
  }

  return {
    take,
    turn: (kind) => new Promise((resolve) => take(kind, resolve)),
    mayGoOn,
  };
}
