import { outputOf } from '../../support/output-of.ts';

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string | undefined>;
  /** Standard error is part of the answer. @default false */
  readonly withErrors?: boolean;
}

/**
 * Runs a command to its end.
 * @returns what it wrote to its standard output
 * @throws Error with what it wrote to both when it fails
 */
export async function command(
  args: readonly string[],
  { cwd, env, withErrors }: CommandOptions = {},
): Promise<string> {
  const child = Bun.spawn([...args], {
    ...(cwd && { cwd }),
    ...(env && { env }),
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const { code, stdout, stderr } = await outputOf(child);
  if (code !== 0)
    throw new Error(
      `${args.join(' ')}: exit code ${code}\n${stdout.slice(-4000)}${stderr.slice(-4000)}`,
    );
  return withErrors ? stdout + stderr : stdout;
}
