/** The program that `npm run bench -- engine` compiles. */
import { parseArgs } from 'node:util';
import { sampleInput } from '../../src/inference/sample-input.ts';
import { type Precision, precisions } from '../../src/model/manifest.ts';
import { openModel } from '../../src/model/open-model.ts';
import { median } from '../median.ts';
import { withBusyCore } from './busy-core.ts';
import { openContenders } from './contenders.ts';
import { profileSteps, profileTable } from './profile.ts';
import { scaling } from './scaling.ts';
import { counted, takeTurns, timingTable } from './turns.ts';

const help = `Usage: npm run bench -- engine --model FOLDER/resnet50.onnx [options]

onnxruntime-web, simd and native onnxruntime with one thread and with two, an image each in turn.

  --precision P   fp32 or int8 (default fp32)
  --rounds N      turns of each (default 25)
  --busy          the same for simd while another process keeps one core busy
  --profile       where simd's time goes, step by step
  --undisturbed   leave out turns in which other processes were busy, for ten minutes at most
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    model: { type: 'string' },
    precision: { type: 'string', default: 'fp32' },
    rounds: { type: 'string', default: '25' },
    profile: { type: 'boolean', default: false },
    busy: { type: 'boolean', default: false },
    undisturbed: { type: 'boolean', default: false },
  },
});
const precision = precisions.find((p): p is Precision => p === values.precision);
if (values.help || !values.model || !precision) {
  process.stderr.write(help);
  process.exit(values.help ? 0 : 2);
}
const model = openModel(values.model, precision);
const { height, width } = model.manifest.graph;
const image = sampleInput(3 * height * width, 1, 127);
const rounds = Number(values.rounds);

const { engines, simd, apart } = await openContenders(model, [1, 2]);
const timings = await takeTurns([...engines, apart], image, {
  rounds,
  undisturbed: values.undisturbed,
});
console.log(timingTable(timings.slice(0, -1)));
const [one, two] = simd.map(({ name }) => timings.find((timing) => timing.name === name)!);
console.log(`\n${scaling(one!, two!, timings.at(-1)!)}`);
if (values.busy) {
  const busy = await withBusyCore(() => takeTurns(simd, image, { rounds }));
  const [alone, both] = busy.map(({ times }) => median(counted(times)).toFixed(1));
  console.log(
    `\nWhile another process keeps one core busy: ${alone} ms on one thread, ${both} on two.`,
  );
}
await Promise.all([...engines, apart].map((contender) => contender.close()));
if (values.profile) console.log(`\n${profileTable(profileSteps(model, image, rounds))}`);
process.exit(0);
