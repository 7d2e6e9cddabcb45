export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a program says until its end. */
export async function outputOf(child: Bun.Subprocess<'ignore', 'pipe', 'pipe'>): Promise<Output> {
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}
