/** Runs `body` while another process keeps one core busy, for as long as it takes and a minute at most. */
export async function withBusyCore<T>(body: () => Promise<T>): Promise<T> {
  const busy = Bun.spawn(['sh', '-c', 'while :; do :; done'], { timeout: 60_000 });
  try {
    return await body();
  } finally {
    busy.kill();
    await busy.exited;
  }
}
