/** How much is done at once, so that what one client keeps open does not keep the others out. */
export interface Place {
  /** From now on we wait for the client: to send the rest, or to read its reply. */
  clientsTurn(): void;
  /** From now on the client waits for us, so that it does not have to give way. */
  ourTurn(): void;
  leave(): void;
}

export interface Places {
  /** What a newcomer is told, such as "2048 calls are being answered (--max-calls)". */
  readonly full: string;
  /**
   * @param giveWay - called when it has lost its place to a newcomer
   * @returns nothing when all are taken and none has to give way
   */
  enter(giveWay: () => void): Place | undefined;
}

/** When all are taken, a newcomer gets the place of the one whose client has kept us waiting longest, and for so many milliseconds. */
const patience = 1000;

interface Entry {
  readonly giveWay: () => void;
  since: number;
}

export interface PlacesOptions {
  readonly most: number;
  /** What there are so many of then, such as "calls are being answered (--max-calls)". */
  readonly are: string;
  /** Told of each that is refused. */
  readonly onFull?: () => void;
}

export function createPlaces({ most, are, onFull }: PlacesOptions): Places {
  const taken = new Set<Entry>();
  /** Those whose client's turn it is; who has waited longest comes first. */
  const waiting = new Set<Entry>();

  function leave(entry: Entry): void {
    taken.delete(entry);
    waiting.delete(entry);
  }

  function wait(entry: Entry): void {
    entry.since = performance.now();
    waiting.delete(entry);
    waiting.add(entry);
  }

  function makeRoom(): void {
    const [longest] = waiting;
    if (!longest || performance.now() - longest.since < patience) return;
    leave(longest);
    longest.giveWay();
  }

  return {
    full: `${most} ${are}`,
    enter(giveWay) {
      if (taken.size >= most) makeRoom();
      if (taken.size >= most) {
        onFull?.();
        return undefined;
      }
      const entry: Entry = { giveWay, since: 0 };
      taken.add(entry);
      wait(entry);
      return {
        clientsTurn: () => {
          if (taken.has(entry)) wait(entry);
        },
        ourTurn: () => waiting.delete(entry),
        leave: () => leave(entry),
      };
    },
  };
}
