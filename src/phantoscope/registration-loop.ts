/** `serve --register`: registers once the operator is ready, keeps it registered, and takes it back at the end. */
import { isAnswer, reason } from './failure.ts';
import { containerName } from './instances-v02.ts';
import { operatorPath } from './operator-record.ts';
import { ReplacementError } from './put-back.ts';
import { isRegistered, type RegisterOptions, realClock, register, unregister } from './register.ts';
import type { Outcome, RegistrationRequest, Sent, Unregistered } from './registration.ts';

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
const lookAgainMs = 250;

export function startRegistration(options: RegistrationLoopOptions): Registration {
  const { log, request, checkEveryMs = 30_000, exitTimeoutMs = 5000 } = options;
  const { random = Math.random, clock = realClock } = options;
  const stopping = new AbortController();
  const cut = new AbortController();
  const to = request.apiUrl;
  let outcome: Outcome | undefined;
  /** Asked for, and never answered: the API server may store it yet. */
  let unanswered: Sent | undefined;
  /** This process has made the record that is there. */
  let ownRecord = false;
  let replacedInVain = false;
  let complaint = '';
  let retryMs = firstRetryMs;
  let stopped: Promise<void> | undefined;

  /** One attempt. @returns milliseconds until the next */
  async function attempt(): Promise<number> {
    let asked = false;
    const onSending = (sent: Sent): void => {
      asked = true;
      ownRecord ||= unanswered?.ownRecord ?? false;
      unanswered = { ...sent, ownRecord: sent.ownRecord || ownRecord };
    };
    const withCut = { ...options, signal: cut.signal, onSending, lateMs: exitTimeoutMs / 4 };
    try {
      if (outcome && complaint === '' && (await still(outcome, withCut))) return checkEveryMs;
      // Taking the name from another is for the first time: two operators that both insist would go on for ever.
      const onceRegistered = outcome !== undefined || replacedInVain;
      const replace = request.replace && !onceRegistered;
      const now = await register({ ...request, replace, onceRegistered }, withCut);
      if (now.state !== 'unchanged' || outcome === undefined || complaint !== '') tell(now);
      outcome = now;
      ownRecord ||= now.ownRecord;
      unanswered = undefined;
      complaint = '';
      retryMs = firstRetryMs;
      return checkEveryMs;
    } catch (thrown) {
      const words = fullReason(thrown);
      const undone = thrown instanceof ReplacementError;
      replacedInVain ||= undone;
      if (asked && isAnswer(thrown)) unanswered = undefined;
      const wait = Math.round(retryMs * (0.5 + random() / 2));
      retryMs = Math.min(2 * retryMs, longestRetryMs);
      // At the end, only that something was changed and is back; before, the same sentence once, not every minute.
      if (stopping.signal.aborted) {
        if (undone) log.warn({ to }, `not registered: ${words}`);
      } else if (words !== complaint) {
        log.warn({ to, retryInMs: wait }, `not registered: ${words}`);
      }
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
    const limit = AbortSignal.timeout(exitTimeoutMs);
    const patience = AbortSignal.timeout(options.unregisterOnExit ? exitTimeoutMs / 2 : 0);
    patience.addEventListener('abort', () => cut.abort(new Error('the operator ends')));
    await running;
    const sent = unanswered ?? (outcome && { ...outcome, ownRecord });
    if (!options.unregisterOnExit || !sent) return;
    const { name } = sent;
    try {
      const found = await takeBack(sent, limit);
      if (found === 'removed') {
        log.info({ to, name }, 'unregistered from Phantoscope');
        if (unanswered && sent.api === 'v0.2') warnOfContainer(name);
      } else {
        const now =
          found === 'absent' ? 'nothing is registered under the name' : 'the name leads elsewhere';
        log.warn({ to, name }, `not unregistered: ${now} by now`);
      }
    } catch (thrown) {
      if (unanswered) warnOfUnanswered(name);
      else log.warn({ to, name }, `not unregistered: ${fullReason(thrown)}`);
    }
  }

  /** What is not there yet may be stored any moment, where the answer was not awaited. */
  async function takeBack(sent: Sent, limit: AbortSignal): Promise<Unregistered> {
    for (;;) {
      const found = await unregister(sent, request, { ...options, signal: limit });
      if (found !== 'absent' || !unanswered) return found;
      await realClock.sleep(lookAgainMs, limit);
    }
  }

  function warnOfContainer(name: string): void {
    const container = containerName(name, request.image?.instance ?? '');
    log.warn(
      { to, name },
      `Phantoscope had not answered when this operator ended, and may start ${container} yet; remove it with "docker rm -f ${container}"`,
    );
  }

  function warnOfUnanswered(name: string): void {
    const path = `${to}${operatorPath(name)}`;
    log.warn(
      { to, name },
      `not unregistered: Phantoscope had not answered when this operator ended, and may register "${name}" yet; ` +
        `look with "curl ${path}", and remove it with "curl -X DELETE ${path}"`,
    );
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
