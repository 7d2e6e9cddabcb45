/**
 * The network's thread in small slices. Sixty-four clients that connect and send at the same moment are a tenth of a second of
 * work, and sockets are read half a megabyte at a time: done as it comes, whoever asks for Healthy next waits for all of it.
 * So what can wait is done for some milliseconds in each turn of the event loop, and the rest in the turns that follow.
 */
export interface LoopScheduler {
  /** Settles when it may be done; `schedule` for those who can wait. */
  ready(priority: Priority): Promise<void>;
  /**
   * Runs it in this turn if there is time left, else in one of the next. Within a priority first come, first served; of arrivals
   * the newest and the oldest in turn, so that who comes behind a crowd is not behind all of it, and none waits for ever.
   * @param gone - true when it need not be done any more: then it takes nobody's time
   */
  schedule(priority: Priority, run: () => void, gone?: () => boolean): void;
  /** Whether more of a priority may be done without `schedule`: there is time left in this turn, and nothing waits that goes before. */
  hasTime(priority: Priority): boolean;
}

/**
 * In the order of precedence: what is short and may be somebody's Healthy, before what is long and a part of a large upload.
 * `greeting`: a connection whose first bytes are few is opened; `arrival`: the first bytes of a new one are read; `connection`:
 * one is opened that has begun to send much; `call`: an Execute is begun; `piece`: some of its body is taken; `read`: more of
 * it is read.
 */
const priorities = ['greeting', 'arrival', 'connection', 'call', 'piece', 'read'] as const;
export type Priority = (typeof priorities)[number];

/** What follows later in the loop's turn, in milliseconds: the socket is then read, into memory that is new each time. */
const costs: Readonly<Partial<Record<Priority, number>>> = { arrival: 0.2, connection: 1, read: 1 };

export interface LoopSchedulerOptions {
  /** Milliseconds. @default 4 */
  readonly length?: number;
  /** A priority that has waited for so many milliseconds goes first for once: none waits for ever. @default 20 */
  readonly patience?: number;
}

/** For how long a priority that has waited goes first, milliseconds. */
const favour = 2;
/** So many immediates at a time; whatever else waits takes none of the loop's time. */
const mostPending = 64;

interface Waiting {
  run(): void;
  gone?: (() => boolean) | undefined;
}

export function createLoopScheduler({
  length = 4,
  patience = 20,
}: LoopSchedulerOptions = {}): LoopScheduler {
  const queues = priorities.map((priority) => ({
    priority,
    waiting: [] as Waiting[],
    /** When one of them was last done, or the first began to wait. */
    last: 0,
  }));
  type Queue = (typeof queues)[number];
  const queueOf = (priority: Priority): Queue => queues[priorities.indexOf(priority)] as Queue;
  let newest = false;
  let ends: number | undefined;
  /** In this turn: something was done; a priority that had waited for long goes first, until then. */
  let done = false;
  let favoured: Queue | undefined;
  let favouredUntil = 0;
  let pending = 0;

  /** A turn begins with the first that happens in it, and ends with the loop's next round of immediates. */
  function begin(): number {
    if (ends === undefined) {
      ends = performance.now() + length;
      done = false;
      favoured = undefined;
      setImmediate(() => {
        ends = undefined;
      });
    }
    return ends;
  }

  const isTimeLeft = (): boolean => performance.now() < begin();

  function next(): Queue | undefined {
    let first: Queue | undefined;
    let longest: Queue | undefined;
    for (const queue of queues) {
      if (queue.waiting.length === 0) continue;
      first ??= queue;
      if (!longest || queue.last < longest.last) longest = queue;
    }
    const time = isTimeLeft();
    const now = performance.now();
    if (longest && !favoured && now - longest.last > patience) {
      favoured = longest;
      favouredUntil = now + favour;
      return favoured;
    }
    if (favoured && favoured.waiting.length > 0 && now < favouredUntil) return favoured;
    return time || !done ? first : undefined;
  }

  function start(queue: Queue, run: () => void): void {
    const cost = costs[queue.priority] ?? 0;
    ends = begin() - cost;
    favouredUntil -= cost;
    done = true;
    queue.last = performance.now();
    run();
  }

  /** The next that is still wanted. */
  function takeFrom({ priority, waiting }: Queue): Waiting | undefined {
    if (priority === 'arrival') newest = !newest;
    for (;;) {
      const entry = priority === 'arrival' && newest ? waiting.pop() : waiting.shift();
      if (!entry?.gone?.()) return entry;
    }
  }

  /** An immediate for each: what follows from it in microtasks is counted before the next one's. */
  function arm(): void {
    if (pending >= mostPending) return;
    pending++;
    setImmediate(proceed);
  }

  function proceed(): void {
    pending--;
    const queue = next();
    const entry = queue && takeFrom(queue);
    if (queue && entry) start(queue, entry.run);
    if (queues.reduce((sum, { waiting }) => sum + waiting.length, 0) > pending) arm();
  }

  const hasTime = (priority: Priority): boolean =>
    isTimeLeft() &&
    queues.slice(0, priorities.indexOf(priority)).every(({ waiting }) => waiting.length === 0);

  function schedule(priority: Priority, run: () => void, gone?: () => boolean): void {
    const queue = queueOf(priority);
    if (hasTime(priority) && queue.waiting.length === 0) start(queue, run);
    else {
      if (queue.waiting.push({ run, gone }) === 1) queue.last = performance.now();
      arm();
    }
  }

  return {
    schedule,
    ready: (priority) => new Promise((resolve) => schedule(priority, resolve)),
    hasTime,
  };
}
