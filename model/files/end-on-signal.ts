/** Ctrl-C and SIGTERM for a program that does not wait for them: what is not whole yet does not stay behind. */
import { removeTemporary } from './abandoned.ts';

/** As a shell counts it: 128 and the number of the signal. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/** @returns lets the signals be somebody else's again */
export function endOnSignal(tell: (line: string) => void): () => void {
  const signals = Object.keys(exitCodes) as (keyof typeof exitCodes)[];
  const end = (signal: NodeJS.Signals): void => {
    removeTemporary();
    tell('interrupted');
    process.exit(exitCodes[signal as keyof typeof exitCodes]);
  };
  for (const signal of signals) process.on(signal, end);
  return () => {
    for (const signal of signals) process.off(signal, end);
  };
}
