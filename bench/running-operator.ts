/** The executable as a process of its own, from exec to ready. */

export interface Running extends AsyncDisposable {
  readonly pid: number;
  readonly readyMs: number;
  execute(): Promise<void>;
}

export interface RunningOptions {
  readonly port: number;
  readonly precision: string;
  /** What `execute` sends: an image in base64. */
  readonly image: string;
}

/** @throws Error when it ends, or is not ready within a minute */
export async function startExecutable(
  executable: string,
  { port, precision, image }: RunningOptions,
): Promise<Running> {
  const begun = performance.now();
  const listen = ['--listen', `127.0.0.1:${port}`, '--precision', precision];
  const child = Bun.spawn([executable, 'serve', ...listen], {
    env: {},
    stdout: 'ignore',
    stderr: 'pipe',
  });
  const url = `http://127.0.0.1:${port}`;
  for (;;) {
    const ready = await fetch(`${url}/readyz`)
      .then((reply) => reply.ok)
      .catch(() => false);
    if (ready) break;
    if (child.exitCode !== null) throw new Error(await new Response(child.stderr).text());
    if (performance.now() - begun > 60_000) throw new Error('not ready within a minute');
    await Bun.sleep(2);
  }
  const readyMs = performance.now() - begun;
  const body = JSON.stringify({ datas: [image] });
  return {
    pid: child.pid,
    readyMs,
    async execute() {
      const reply = await fetch(`${url}/omnisearch.Operator/Execute`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      if (!reply.ok) throw new Error(await reply.text());
      await reply.arrayBuffer();
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await child.exited;
    },
  };
}
