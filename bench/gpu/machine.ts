/** What a figure of this machine has to be read with: processor, card, driver, power state. */
import { cpus, loadavg, totalmem } from 'node:os';

/** What nvidia-smi is asked; `clocks_event_reasons` tells whether heat or power held the card back. */
const query = [
  ['driver_version', 'driver'],
  ['pstate', 'power state'],
  ['power.draw', 'power'],
  ['power.limit', 'power limit'],
  ['clocks.sm', 'SM clock'],
  ['clocks.max.sm', 'of at most'],
  ['clocks.mem', 'memory clock'],
  ['temperature.gpu', '°C'],
] as const;

export function describeMachine(): Record<string, string> {
  const cores = cpus();
  const memory = `${(totalmem() / 2 ** 30).toFixed(0)} GiB`;
  return {
    processor: `${cores[0]?.model ?? 'unknown'}, ${cores.length} cores, ${memory}`,
    'load average': loadavg()
      .map((load) => load.toFixed(2))
      .join(' '),
    system: `${process.platform}-${process.arch}, Bun ${Bun.version}`,
  };
}

/** Name, driver, clocks and power of NVIDIA's cards; a sentence where they do not tell. */
export function cardState(): string {
  if (!Bun.which('nvidia-smi')) return 'not known: there is no nvidia-smi to ask';
  const fields = ['name', ...query.map(([field]) => field)].join(',');
  const { stdout, exitCode } = Bun.spawnSync(
    ['nvidia-smi', `--query-gpu=${fields}`, '--format=csv,noheader'],
    { timeout: 10_000 },
  );
  if (exitCode !== 0) return 'not known: nvidia-smi failed';
  const cards = stdout.toString().trim().split('\n');
  return cards
    .map((card) => {
      const [name, ...values] = card.split(', ');
      return [name, ...query.map(([, label], i) => `${label} ${values[i]}`)].join(', ');
    })
    .join('; ');
}
