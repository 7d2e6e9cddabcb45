/** Builds the executables that the tests start, so that none of them has to wait for it: part of `npm test`. */
import { testExecutable } from './executable.ts';
import { preparedTestModel, smallTestModel } from './models.ts';

for (const model of [undefined, smallTestModel(), await preparedTestModel('untrained')])
  console.log(await testExecutable(model));
