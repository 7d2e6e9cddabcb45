/** How much other processes had of the processor: a measurement on a shared machine is worth what this says. */
import { existsSync, readFileSync } from 'node:fs';

/** The clock of /proc/stat, and so the grain of what is told here. */
export const tickMs = 10;
const stat = '/proc/stat';

/** Processor time of the whole machine that was not idle, milliseconds; undefined where the system does not tell. */
function busyMs(): number | undefined {
  if (!existsSync(stat)) return undefined;
  const [, ...ticks] = readFileSync(stat, 'utf8').split('\n', 1)[0]!.trim().split(/\s+/);
  // user, nice, system, idle, iowait, irq, softirq, steal
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = ticks.map(Number);
  return (user + nice + system + irq + softirq + steal) * tickMs;
}

/** Begins to watch; the function that it returns gives the milliseconds that other processes have had since. */
export function watchOthers(): () => number {
  const busy = busyMs();
  const own = process.cpuUsage();
  return () => {
    const now = busyMs();
    if (busy === undefined || now === undefined) return 0;
    const { user, system } = process.cpuUsage(own);
    return Math.max(0, now - busy - (user + system) / 1000);
  };
}
