import { assertAdvertisable } from './advertised-endpoint.ts';
import { detectVersion } from './detect-version.ts';
import { PhantoscopeError } from './failure.ts';
import { type ConnectOperator, connectOperator } from './operator-client.ts';
import { isRegisteredV01, registerV01, unregisterV01 } from './register-v01.ts';
import { isRegisteredV02, registerV02, unregisterV02 } from './register-v02.ts';
import type {
  Clock,
  Outcome,
  RegistrationContext,
  RegistrationRequest,
  Sent,
  Unregistered,
} from './registration.ts';
import { createRest, type Fetch } from './rest.ts';

export interface RegisterOptions {
  readonly signal: AbortSignal;
  /** For tests; the real ones by default, here and below. */
  readonly fetch?: Fetch | undefined;
  readonly connect?: ConnectOperator | undefined;
  readonly clock?: Clock | undefined;
  /** How long the API server may take for requests in which it calls nobody itself. @default 10000 */
  readonly timeoutMs?: number | undefined;
  /** Called before a request after which something may be stored, even if its answer never comes. */
  readonly onSending?: ((sent: Sent) => void) | undefined;
  /** How long what was taken away may be put back once `signal` is aborted. @default 20000 */
  readonly lateMs?: number | undefined;
}

export const realClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const stop = (): void => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', stop);
        resolve();
      }, ms);
      signal.addEventListener('abort', stop, { once: true });
    }),
};

/**
 * Registers an operator with Phantoscope. Idempotent: where it is registered as it should be already, nothing is changed.
 * @throws PhantoscopeError with a sentence that says what to change; the signal's reason when it is aborted
 */
export async function register(
  request: RegistrationRequest,
  options: RegisterOptions,
): Promise<Outcome> {
  const context = createContext(request, options);
  assertUsable(request);
  const api = request.api === 'auto' ? await detectVersion(context.rest) : request.api;
  return api === 'v0.1' ? registerV01(request, context) : registerV02(request, context);
}

/** What is sure to fail is said without calling anybody: without an image only v0.1 is left, and it calls the endpoint. */
function assertUsable({ api, image, endpoint, apiUrl }: RegistrationRequest): void {
  if (api === 'v0.2' || image !== undefined) return;
  try {
    assertAdvertisable(endpoint, apiUrl);
  } catch (thrown) {
    if (api === 'v0.1' || !(thrown instanceof PhantoscopeError)) throw thrown;
    const other = 'Phantoscope v0.2, which starts operators itself, needs --docker-image instead';
    throw new PhantoscopeError(thrown.kind, `${thrown.message}; ${other}`);
  }
}

/** Whether what `register` did still holds; a few GETs, nothing is called or changed. @throws PhantoscopeError */
export async function isRegistered(
  outcome: Outcome,
  request: RegistrationRequest,
  options: RegisterOptions,
): Promise<boolean> {
  const context = createContext(request, options);
  return outcome.api === 'v0.1'
    ? isRegisteredV01(outcome, context)
    : isRegisteredV02(request, context);
}

/** Takes back what `register` did, unless it belongs to another operator by now. */
export async function unregister(
  sent: Sent,
  request: RegistrationRequest,
  options: RegisterOptions,
): Promise<Unregistered> {
  const context = createContext(request, options);
  return sent.api === 'v0.1'
    ? unregisterV01(sent.name, request, context)
    : unregisterV02(request, sent.ownRecord, context);
}

function createContext(
  request: RegistrationRequest,
  options: RegisterOptions,
): RegistrationContext {
  const { signal, fetch, timeoutMs, lateMs = 20_000 } = options;
  const withSignal = (signal: AbortSignal): RegistrationContext => ({
    rest: createRest({ url: request.apiUrl, signal, fetch, timeoutMs }),
    connect: options.connect ?? connectOperator,
    clock: options.clock ?? realClock,
    signal,
    sending: options.onSending ?? (() => {}),
    late: () => withSignal(lateSignal(signal, lateMs)),
  });
  return withSignal(signal);
}

/** Fires `ms` after the other one. */
function lateSignal(signal: AbortSignal, ms: number): AbortSignal {
  if (signal.aborted) return AbortSignal.timeout(ms);
  const controller = new AbortController();
  signal.addEventListener(
    'abort',
    () => setTimeout(() => controller.abort(signal.reason), ms).unref(),
    { once: true },
  );
  return controller.signal;
}
