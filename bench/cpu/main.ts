/** The program that `npm run bench -- engine` compiles. */
import { existingFile, flag, integer, oneOf, required } from '../../model/options.ts';
import { sampleInput } from '../../src/inference/sample-input.ts';
import { precisions } from '../../src/model/manifest.ts';
import { openModel } from '../../src/model/open-model.ts';
import { median } from '../median.ts';
import { benchOptions } from '../options.ts';
import { withBusyCore } from './busy-core.ts';
import { openContenders } from './contenders.ts';
import { measureScaling } from './measure-scaling.ts';
import { profileSteps, profileTable } from './profile.ts';
import { counted, takeTurns, timingTable } from './turns.ts';

const values = benchOptions({
  usage: 'engine --model FILE',
  about:
    'The engines on one model, with one thread and with two: all are open at once and take turns, one image each.',
  table: {
    model: required(existingFile('resnet50.onnx; its manifest lies beside it')),
    precision: oneOf(precisions, 'which variant of the model (default: fp32)'),
    rounds: integer('turns of each engine (default: 25)'),
    profile: flag('print as well where the time goes, step by step'),
    busy: flag('measure as well while another process keeps one core busy'),
    undisturbed: flag(
      'count only turns during which other processes were nearly idle, for ten minutes at most',
    ),
  },
});
const { rounds = 25, undisturbed = false } = values;
const model = openModel(values.model, values.precision ?? 'fp32');
const { height, width } = model.manifest.graph;
const image = sampleInput(3 * height * width, 1, 127);

const contenders = await openContenders(model, [1, 2]);
const { engines, simd, apart } = contenders;
console.log(timingTable(await takeTurns(engines, image, { rounds, undisturbed })));
console.log(`\n${await measureScaling(contenders, image, 4 * rounds)}`);
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
