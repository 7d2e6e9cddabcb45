import { expect, test } from 'bun:test';
import { createDeadline } from '../../src/server/calls/deadline.ts';

test('createDeadline, fires with its own reason, with that of a source, and not once it is cleared', async () => {
  const late = createDeadline({ requestTimeout: 20 });
  const cleared = createDeadline({ requestTimeout: 20 });
  const source = new AbortController();
  const other = createDeadline({ requestTimeout: 60_000 }, source.signal);
  cleared.clear();
  source.abort('given up');
  expect(other.signal.reason).toBe('given up');
  other.clear();
  await Bun.sleep(60);
  expect(late.signal.reason).toMatchObject({ code: 'DEADLINE' });
  expect(cleared.signal.aborted).toBe(false);
});
