/** What this operator is and how it fares, kept up to date while someone looks. */
import { Code, ConnectError } from '@connectrpc/connect';
import type { IdentityReply } from '../../gen/omnisearch/operator_pb.ts';
import { byId, figure } from './dom.ts';
import { checkHealth, identify, type OperatorInfo, readInfo } from './operator.ts';
import type { Origin } from './save.ts';

const askEveryMs = 2_000;
const answerWithinMs = 5_000;

type Health = 'healthy' | 'not-ready' | 'unreachable';

export interface Masthead {
  /** What vectors of now are of. */
  origin(): Origin;
  /** Asks at once instead of when it is time again. */
  refresh(): void;
}

/** Starts asking. */
export function startMasthead(): Masthead {
  let identity: IdentityReply | undefined;
  let info: OperatorInfo | undefined;

  async function ask(): Promise<void> {
    const signal = AbortSignal.timeout(answerWithinMs);
    // A restarted operator may be another one: everything is asked again, not only what moves.
    const [health, who, what] = await Promise.allSettled([
      askHealth(signal),
      identify(signal),
      readInfo(signal),
    ]);
    if (who.status === 'fulfilled') identity = who.value;
    if (what.status === 'fulfilled') info = what.value;
    showFacts(identity, info);
    showInFlight(what.status === 'fulfilled' ? what.value.inFlight : undefined);
    if (health.status === 'fulfilled') showHealth(...health.value);
    else showHealth('unreachable', 'no answer');
  }

  async function askForever(): Promise<never> {
    for (;;) {
      if (!document.hidden) await ask();
      await new Promise((resolve) => setTimeout(resolve, askEveryMs));
    }
  }
  void askForever();
  document.addEventListener('visibilitychange', () => void (document.hidden || ask()));

  return {
    origin: () => ({
      operator: identity?.name ?? '',
      modelId: info?.modelId ?? '',
      metricType: identity?.metricType ?? '',
    }),
    refresh: () => void ask(),
  };
}

async function askHealth(signal: AbortSignal): Promise<[Health, string]> {
  try {
    const word = await checkHealth(signal);
    return word === 'healthy' ? ['healthy', ''] : ['not-ready', word];
  } catch (thrown) {
    const answered = thrown instanceof ConnectError && !(thrown.cause instanceof TypeError);
    if (answered && thrown.code !== Code.Canceled) return ['not-ready', thrown.rawMessage];
    throw thrown;
  }
}

const healthWords: Record<Health, string> = {
  healthy: 'Healthy',
  'not-ready': 'Not ready',
  unreachable: 'Not reached',
};

function showHealth(health: Health, detail: string): void {
  const node = byId('health', HTMLElement);
  const about = byId('health-detail', HTMLElement);
  if (node.dataset.state === health && about.textContent === detail) return;
  node.dataset.state = health;
  byId('health-word', HTMLElement).textContent = healthWords[health];
  about.textContent = detail;
}

function showFacts(identity: IdentityReply | undefined, info: OperatorInfo | undefined): void {
  const untrained = info?.trained === false;
  if (identity) showIdentity(identity, untrained);
  for (const warning of document.querySelectorAll<HTMLElement>('[data-untrained]'))
    warning.hidden = !untrained;
  byId('version', HTMLElement).textContent = info?.version ?? '';
  const weights =
    info?.trained === undefined ? undefined : info.trained ? 'from a file' : 'untrained';
  const facts: [string, string | undefined][] = [
    ['Endpoint', identity?.endpoint],
    ['Model', info?.modelId],
    ['Weights', weights],
    ['Precision', info?.precision],
    ['Engine', info?.engine],
    ['Device', info?.device],
    ['Threads', info?.threads?.toString()],
    ['Dimension', identity?.dimension],
    ['Metric', identity?.metricType],
  ];
  byId('facts', HTMLElement).replaceChildren(
    ...facts.map(([term, value]) => figure(term, value ?? '–')),
  );
}

function showInFlight(count: number | undefined): void {
  const requests = count === 1 ? 'request' : 'requests';
  byId('in-flight', HTMLElement).textContent =
    count === undefined ? '' : `${count} ${requests} in flight`;
}

function showIdentity({ name, dimension }: IdentityReply, untrained: boolean): void {
  document.title = name;
  byId('name', HTMLElement).textContent = name;
  const count = Number(dimension).toLocaleString('en');
  const promise = untrained ? '' : ' Pictures that are alike get numbers that are alike.';
  byId('lede', HTMLElement).textContent = `Turns a picture into ${count} numbers.${promise}`;
}
