/** `serve --register`: registers once the operator is ready, keeps it registered, and takes it back at the end. */
import { reason } from './failure.ts';
import { isRegistered, type RegisterOptions, realClock, register, unregister } from './register.ts';
import type { Outcome, RegistrationRequest } from './registration.ts';

export interface RegistrationLog {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
}

export interface RegistrationLoopOptions extends Omit<RegisterOptions, 'signal'> {
  readonly request: RegistrationRequest;
  /** True while the operator serves: nothing is sent before, and nothing while it drains. */
  readonly isReady: () => boolean;
  readonly log: RegistrationLog;
  /** @default false */
  readonly unregisterOnExit?: boolean | undefined;
  /** How often to look whether Phantoscope still knows the operator. @default 30000 */
  readonly checkEveryMs?: number | undefined;
  /** How long unregistering may hold up the shutdown. @default 5000 */
  readonly exitTimeoutMs?: number | undefined;
  /** Between 0 and 1, spreads the attempts of several operators. @default Math.random */
  readonly random?: (() => number) | undefined;
}

export interface Registration {
  /** What the last successful attempt came to. */
  readonly outcome: Outcome | undefined;
  /** Ends the loop and unregisters if that was asked for; settles within `exitTimeoutMs`, never rejects. */
  stop(): Promise<void>;
}

const readyPollMs = 200;
const firstRetryMs = 1000;
const longestRetryMs = 60_000;

export function startRegistration(options: RegistrationLoopOptions): Registration {
  const { log, request, checkEveryMs = 30_000, exitTimeoutMs = 5000 } = options;
  const { random = Math.random, clock = realClock } = options;
  const stopping = new AbortController();
  const cut = new AbortController();
  const to = request.apiUrl;
  let outcome: Outcome | undefined;
  let complaint = '';
  let retryMs = firstRetryMs;
  let stopped: Promise<void> | undefined;

  /** One attempt. @returns milliseconds until the next */
  async function attempt(): Promise<number> {
    try {
      const withCut = { ...options, signal: cut.signal };
      if (outcome && complaint === '' && (await still(outcome, withCut))) return checkEveryMs;
      // Taking the name by force is for the first time: two operators that both insist would go on for ever.
      const replace = request.replace && outcome === undefined;
      const now = await register({ ...request, replace }, withCut);
      if (now.state !== 'unchanged' || outcome === undefined || complaint !== '') tell(now);
      outcome = now;
      complaint = '';
      retryMs = firstRetryMs;
      return checkEveryMs;
    } catch (thrown) {
      cut.signal.throwIfAborted();
      const words = fullReason(thrown);
      const wait = Math.round(retryMs * (0.5 + random() / 2));
      retryMs = Math.min(2 * retryMs, longestRetryMs);
      // The same sentence once, not every minute.
      if (words !== complaint) log.warn({ to, retryInMs: wait }, `not registered: ${words}`);
      complaint = words;
      return wait;
    }
  }

  /** A doubt is a no: the attempt that follows meets the same trouble, and tells it. */
  const still = (was: Outcome, registerOptions: RegisterOptions): Promise<boolean> =>
    isRegistered(was, request, registerOptions).catch(() => false);

  function tell(now: Outcome): void {
    const { api, state, name, endpoint } = now;
    const again = outcome !== undefined && state !== 'unchanged' ? ' again' : '';
    log.info({ to, api, state, name, endpoint }, `registered with Phantoscope${again}`);
    if (outcome === undefined) for (const note of now.notes) log.warn({ to }, note);
  }

  async function run(): Promise<void> {
    try {
      for (;;) {
        while (!options.isReady()) await clock.sleep(readyPollMs, stopping.signal);
        await clock.sleep(await attempt(), stopping.signal);
      }
    } catch (thrown) {
      if (!stopping.signal.aborted) log.warn({ to }, `registration ended: ${reason(thrown)}`);
    }
  }

  async function leave(): Promise<void> {
    stopping.abort();
    // An attempt under way may just have registered: what is to be taken back must be known first.
    const limit = AbortSignal.timeout(options.unregisterOnExit ? exitTimeoutMs : 0);
    limit.addEventListener('abort', () => cut.abort());
    await running;
    if (!options.unregisterOnExit || !outcome) return;
    try {
      const gone = await unregister(outcome, request, { ...options, signal: limit });
      if (gone) log.info({ to, name: outcome.name }, 'unregistered from Phantoscope');
      else
        log.warn({ to, name: outcome.name }, 'not unregistered: the name leads elsewhere by now');
    } catch (thrown) {
      log.warn({ to, name: outcome.name }, `not unregistered: ${fullReason(thrown)}`);
    }
  }

  const running = run();
  return {
    get outcome() {
      return outcome;
    },
    stop: () => (stopped ??= leave()),
  };
}

/** Our own sentences whole, however long. */
const fullReason = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : reason(thrown);
