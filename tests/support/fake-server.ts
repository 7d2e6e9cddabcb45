/**
 * The operator's own command line with a fake embedder behind it: what tests/support/operator.ts starts in place of the
 * compiled executable. FAKE_MS_PER_IMAGE and FAKE_OPENING_MS make it slow.
 */
import { runCli } from '../../src/cli/run-cli.ts';
import { createFakeEmbedder } from './fake-embedder.ts';

const msPerImage = Number(process.env.FAKE_MS_PER_IMAGE ?? 0);
const openingMs = Number(process.env.FAKE_OPENING_MS ?? 0);

const code = await runCli(process.argv.slice(2), {
  checkOptions: async () => {},
  openEmbedder: async (config) => {
    await Bun.sleep(openingMs);
    return createFakeEmbedder({ msPerImage, limits: config });
  },
});
process.exit(code);
