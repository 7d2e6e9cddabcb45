/** `npm run bench -- NAME [options]`: the measurements that the documents quote. */
import { join } from 'node:path';

const benches: Record<string, string> = {
  engine: 'the engines in turn on one model (docs/engine.md)',
  serve: 'what a caller sees over gRPC, with each engine (README.md)',
  start: 'from exec to the first vector, and memory (README.md, docs/deploy.md)',
  weights: 'whether compressing the embedded weights would pay (docs/deploy.md)',
  flood: 'more large images at once than there is memory for, and Healthy meanwhile (SECURITY.md)',
  attacks: 'requests and connections that are too much, and Healthy meanwhile (SECURITY.md)',
  gpu: 'the network on a GPU, bare and through gRPC, beside PyTorch (docs/webgpu.md)',
  drift: 'what int8 costs in cosines, neighbours and classes (docs/int8.md)',
};

const [name = '', ...args] = process.argv.slice(2);
if (!(name in benches)) {
  console.error('Usage: npm run bench -- NAME [options]\n');
  for (const [bench, what] of Object.entries(benches)) console.error(`  ${bench.padEnd(8)}${what}`);
  process.exit(name === '' || name === '--help' ? 0 : 2);
}
const child = Bun.spawn([process.execPath, join(import.meta.dir, `${name}.ts`), ...args], {
  stdio: ['inherit', 'inherit', 'inherit'],
});
process.exit(await child.exited);
