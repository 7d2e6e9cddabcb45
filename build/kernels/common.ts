/** Kernels that do not depend on the number format. */
import { advance, countDown, func, lines, value, type Wat } from './wat.ts';

/** Sets `runs` runs of `bytes` bytes, `strideBytes` apart, to the byte `filler`: the borders of a map. */
export const fill: Wat = func({
  name: 'fill',
  params: ['dst', 'bytes', 'strideBytes', 'runs', 'filler'],
  locals: {},
  body: countDown(
    'runs',
    1,
    lines(
      `(memory.fill ${value('dst')} ${value('filler')} ${value('bytes')})`,
      advance('dst', 'strideBytes'),
    ),
  ),
});
