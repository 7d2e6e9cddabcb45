/** What the runtime says when an allocation fails, as a sentence; undefined where something else went wrong. */
export function explainOutOfMemory(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : '';
  // Where it is known what needed how much, that is in the message.
  if (/^out of memory: /.test(message)) return message;
  return /out of memory|allocation failed/i.test(message)
    ? 'out of memory: the system gives this process less than the model needs (the limit of its container or user)'
    : undefined;
}
