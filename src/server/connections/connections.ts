/** Every connection and what it is doing, so that idle ones can be closed and the rest be let finish. */
export interface Connection {
  /** A call or a request begins; the returned function ends it. */
  begin(): () => void;
  /** Those that have begun and not ended. */
  readonly calls: number;
  /** No longer there. */
  remove(): void;
}

export interface ConnectionHandle {
  /**
   * The operator shuts down: said at once, with calls running or not, and again whenever the last of them has ended.
   * HTTP/2 tells the other side at the first time (GOAWAY), HTTP/1.1 with the last answer, and closes when it is idle.
   */
  shut(idle: boolean): void;
  destroy(): void;
  /** Says which limit ends it, and destroys it. */
  expire(flag: string): void;
  /** Milliseconds it may be without a call, having had so many, and the flag that says so; asked for at each sweep. */
  patience(served: number): { readonly ms: number; readonly flag: string };
}

export interface Connections {
  readonly size: number;
  /** Calls and requests being answered. */
  readonly calls: number;
  add(handle: ConnectionHandle): Connection;
  /** Closes the connection that has been without a call for longest. @returns whether there is one that has to give way */
  makeRoom(): boolean;
  /** Shuts all and settles when no call is left. */
  drain(): Promise<void>;
  destroyAll(): void;
  /** Stops looking for idle ones. */
  stop(): void;
}

/** Idle connections are looked for this often, in milliseconds; a limit is kept to this much. */
const sweepEvery = 250;

/** For so many milliseconds a connection is without a call before it has to give way to a new one. */
const patience = 1000;

interface Entry {
  readonly handle: ConnectionHandle;
  calls: number;
  /** Calls since it was opened. */
  served: number;
  idleSince: number;
}

export function createConnections(): Connections {
  const entries = new Set<Entry>();
  let calls = 0;
  let draining: PromiseWithResolvers<void> | undefined;

  function sweep(): void {
    const now = performance.now();
    for (const entry of [...entries]) {
      if (entry.calls > 0) continue;
      const { ms, flag } = entry.handle.patience(entry.served);
      if (now - entry.idleSince > ms) entry.handle.expire(flag);
    }
  }
  const timer = setInterval(sweep, sweepEvery);
  timer.unref();

  function finish(entry: Entry): void {
    calls--;
    entry.calls--;
    entry.idleSince = performance.now();
    if (!draining) return;
    if (entry.calls === 0) entry.handle.shut(true);
    if (calls === 0) draining.resolve();
  }

  return {
    get size() {
      return entries.size;
    },
    get calls() {
      return calls;
    },
    add(handle) {
      const entry: Entry = { handle, calls: 0, served: 0, idleSince: performance.now() };
      entries.add(entry);
      return {
        get calls() {
          return entry.calls;
        },
        begin() {
          calls++;
          entry.calls++;
          entry.served++;
          let begun = true;
          return () => {
            if (begun) finish(entry);
            begun = false;
          };
        },
        remove: () => entries.delete(entry),
      };
    },
    makeRoom() {
      let longest: Entry | undefined;
      for (const entry of entries)
        if (entry.calls === 0 && (!longest || entry.idleSince < longest.idleSince)) longest = entry;
      if (!longest || performance.now() - longest.idleSince < patience) return false;
      // Its socket closes later, and until then it would be chosen again.
      entries.delete(longest);
      longest.handle.expire('--max-connections');
      return true;
    },
    async drain() {
      draining = Promise.withResolvers<void>();
      for (const entry of [...entries]) entry.handle.shut(entry.calls === 0);
      if (calls > 0) await draining.promise;
    },
    destroyAll() {
      for (const entry of [...entries]) entry.handle.destroy();
    },
    stop: () => clearInterval(timer),
  };
}
