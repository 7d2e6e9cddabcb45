/**
 * Asks again and again until the answer is neither `undefined` nor `false`. For whatever comes when it comes: a fixed pause
 * before an assertion fails where the machine stood still meanwhile.
 *
 * @throws Error after 60 s, which a busy machine may need
 */
export async function eventually<T>(ask: () => T | undefined | false): Promise<T> {
  for (const end = performance.now() + 60_000; performance.now() < end; await Bun.sleep(5)) {
    const answer = ask();
    if (answer !== undefined && answer !== false) return answer;
  }
  throw new Error(`it did not come: ${ask}`);
}
