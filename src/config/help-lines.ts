/** How help is laid out on a terminal, whatever it is about. */
const column = 30;

/** One line, or the sentences wrapped beneath, beside what they explain. */
export function entry(left: string, right: string, width: number): string[] {
  const indent = ' '.repeat(column);
  const head = `  ${left}`;
  const wrapped = wrap(right, Math.max(40, width - column)).map((line) => indent + line);
  if (head.length >= column - 1) return [head, ...wrapped];
  return [head.padEnd(column) + (wrapped[0] ?? '').slice(column), ...wrapped.slice(1)];
}

/** Sentences from the left edge, no line longer than the terminal is wide. */
export const paragraph = (sentences: string, width: number): string[] => wrap(sentences, width);

function wrap(sentence: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of sentence.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
