/**
 * What a promise is rejected with. Bun 1.4.5's `expect(promise).rejects` runs the event loop within the matcher, and an
 * HTTP/2 stream whose two ends live in this process then ends in "Premature close".
 */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    const value = await promise;
    return new Error(`it did not fail, but gave ${JSON.stringify(value)}`);
  } catch (thrown) {
    return thrown;
  }
}
