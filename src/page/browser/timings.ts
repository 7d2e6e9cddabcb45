/** Where the time of one picture went. */
export interface Stage {
  readonly name: string;
  readonly ms: number;
}

/** The stages of a `Server-Timing` header (https://www.w3.org/TR/server-timing/), in its order. */
export function parseServerTiming(header: string | null): Stage[] {
  const stages: Stage[] = [];
  for (const metric of (header ?? '').split(',')) {
    const [name = '', ...parameters] = metric.split(';').map((part) => part.trim());
    const duration = parameters.find((parameter) => /^dur\s*=/i.test(parameter));
    const ms = Number(duration?.split('=')[1]?.replaceAll('"', ''));
    if (name && Number.isFinite(ms)) stages.push({ name, ms });
  }
  return stages;
}

/** The operator's stages, and as `network` what is left of the whole: the way there and back, and the wire's own work. */
export function stagesOf(header: string | null, totalMs: number): Stage[] {
  const stages = parseServerTiming(header);
  const known = stages.reduce((sum, { ms }) => sum + ms, 0);
  return [...stages, { name: 'network', ms: Math.max(0, totalMs - known) }];
}

/** Milliseconds for people: one decimal below ten, seconds from a thousand. */
export function formatMs(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
