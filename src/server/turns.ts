/**
 * The network's thread in small slices. Sixty-four clients that connect and send at the same moment are a tenth of a second of
 * work, and sockets are read half a megabyte at a time: done as it comes, whoever asks for Healthy next waits for all of it.
 * So what can wait is done for some milliseconds in each turn of the event loop, and the rest in the turns that follow.
 */
export interface Turns {
  /** Settles when it may be done; `take` for those who can wait. */
  turn(kind: Kind): Promise<void>;
  /**
   * Runs it in this turn if there is time left, else in one of the next. Within a kind first come, first served; of connections
   * the newest and the oldest in turn, so that who comes behind a crowd is not behind all of it, and none waits for ever.
   */
  take(kind: Kind, run: () => void): void;
  /** Whether this turn's time is used up. */
  readonly over: boolean;
}

/** In the order of precedence; of each, one is done in every turn, so that none waits for ever. */
const kinds = ['connection', 'call', 'piece', 'read'] as const;
export type Kind = (typeof kinds)[number];

export interface TurnsOptions {
  /** Milliseconds. @default 8 */
  readonly length?: number;
}

/** What reading a socket once can take, in milliseconds: it happens later in the turn. */
const readCost = 2;

export function createTurns({ length = 8 }: TurnsOptions = {}): Turns {
  const waiting: Readonly<Record<Kind, (() => void)[]>> = {
    connection: [],
    call: [],
    piece: [],
    read: [],
  };
  const done = new Set<Kind>();
  let newest = false;
  let ends: number | undefined;

  /** A turn begins with the first that happens in it, and ends with the loop's next round of immediates. */
  function begin(): number {
    if (ends === undefined) {
      ends = performance.now() + length;
      done.clear();
      setImmediate(() => {
        ends = undefined;
      });
    }
    return ends;
  }

  const hasTime = (): boolean => performance.now() < begin();
  const next = (): Kind | undefined =>
    kinds.find((kind) => waiting[kind].length > 0 && (!done.has(kind) || hasTime()));

  function start(kind: Kind, run: () => void): void {
    begin();
    done.add(kind);
    if ((kind === 'connection' || kind === 'read') && ends !== undefined) ends -= readCost;
    run();
  }

  function first(kind: Kind): (() => void) | undefined {
    if (kind !== 'connection') return waiting[kind].shift();
    newest = !newest;
    return newest ? waiting[kind].pop() : waiting[kind].shift();
  }

  /** One immediate for each that waits: what follows from it in microtasks is counted before the next one's. */
  function proceed(): void {
    const kind = next();
    const run = kind && first(kind);
    if (kind && run) start(kind, run);
    else setImmediate(proceed);
  }

  function take(kind: Kind, run: () => void): void {
    if (hasTime() && kinds.every((each) => waiting[each].length === 0)) start(kind, run);
    else {
      waiting[kind].push(run);
      setImmediate(proceed);
    }
  }

  return {
    take,
    turn: (kind) => new Promise((resolve) => take(kind, resolve)),
    get over() {
      return !hasTime();
    },
  };
}
