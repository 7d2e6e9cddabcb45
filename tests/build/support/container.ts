/** A container that serves, and a way to talk to it: its network is its own. */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command } from './command.ts';
import { podman, runCommand } from './podman.ts';

export interface Container extends AsyncDisposable {
  readonly name: string;
  /** Of the executable, as this machine counts. */
  readonly pid: number;
  readonly ended: Promise<unknown>;
  /** Runs a command of this machine within the container's network. */
  inNetwork(...args: string[]): Promise<string>;
  /** The body of an answer over HTTP; a body to send makes it a POST of JSON. */
  request(url: string, body?: unknown): Promise<string>;
  /** SIGTERM. @returns exit code and log */
  stop(): Promise<{ code: number; log: string }>;
}

/** Podman's own monitor sometimes fails to say what it did, before anything of the image has run. */
const monitorFailed = /container create failed \(no logs from conmon\)/;

/** @param options - of `podman run`; @param args - of the executable */
export async function startContainer(
  image: string,
  options: readonly string[],
  port: number,
  ...args: string[]
): Promise<Container> {
  for (let tries = 3; ; tries--)
    try {
      return await tryContainer(image, options, port, ...args);
    } catch (error) {
      if (tries === 1 || !monitorFailed.test(String(error))) throw error;
    }
}

async function tryContainer(
  image: string,
  options: readonly string[],
  port: number,
  ...args: string[]
): Promise<Container> {
  const name = `test-${randomUUID()}`;
  const pidFile = join(tmpdir(), `${name}.pid`);
  const child = Bun.spawn(
    runCommand(image, [`--name=${name}`, `--pidfile=${pidFile}`, ...options], args),
    { stdout: 'pipe', stderr: 'pipe' },
  );
  const output = Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]).then((texts) => texts.join(''));
  const endedEarly = async (): Promise<never> => {
    await child.exited;
    throw new Error(`the container ended: ${await output}`);
  };

  const pidOf = async (): Promise<number> => {
    while (!existsSync(pidFile) || readFileSync(pidFile, 'utf8') === '') await Bun.sleep(50);
    return Number(readFileSync(pidFile, 'utf8'));
  };
  const pid = await Promise.race([pidOf(), endedEarly()]);
  rmSync(pidFile);
  const inNetwork: Container['inNetwork'] = (...command_) =>
    command(['nsenter', '--target', String(pid), '--net', ...command_]);
  const request: Container['request'] = (url, body) => {
    const json = ['--header', 'content-type: application/json', '--data', JSON.stringify(body)];
    return inNetwork('curl', '-sS', '--fail-with-body', ...(body ? json : []), url);
  };
  const ready = async (): Promise<void> => {
    const asked = `http://localhost:${port}/readyz`;
    for (let i = 0; i < 600; i++) {
      if (
        await request(asked).then(
          () => true,
          () => false,
        )
      )
        return;
      await Bun.sleep(50);
    }
    throw new Error(`${asked} does not say 200`);
  };
  await Promise.race([ready(), endedEarly()]);
  return {
    name,
    pid,
    ended: child.exited,
    inNetwork,
    request,
    async stop() {
      // Podman hands it on.
      child.kill('SIGTERM');
      return { code: await child.exited, log: await output };
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      await podman('kill', name).catch(() => {});
      await child.exited;
    },
  };
}
