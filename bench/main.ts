/** `npm run bench -- NAME [options]`: the measurements that the documents quote. */
import { join } from 'node:path';
import { enterCallersFolder } from '../model/callers-folder.ts';
import { suggest } from '../src/config/suggest.ts';

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

enterCallersFolder('bench');
const given = process.argv.slice(2);
const [name = '--help', ...args] = given[0] === 'help' ? [...given.slice(1), '--help'] : given;
const list = Object.entries(benches).map(([bench, what]) => `  ${bench.padEnd(9)}${what}`);
const help = [
  'Usage: npm run bench -- NAME [OPTIONS]',
  '',
  'Measurements (NAME --help lists the options):',
  ...list,
].join('\n');
if (name === '--help' || name === '-h') {
  console.log(help);
  process.exit(0);
}
if (!Object.hasOwn(benches, name)) {
  const near = suggest(name, Object.keys(benches));
  console.error(`${name}: there is no such measurement${near ? `, did you mean ${near}?` : ''}`);
  console.error(`\n${help}`);
  process.exit(2);
}
const child = Bun.spawn([process.execPath, join(import.meta.dir, `${name}.ts`), ...args], {
  stdio: ['inherit', 'inherit', 'inherit'],
});
process.exit(await child.exited);
