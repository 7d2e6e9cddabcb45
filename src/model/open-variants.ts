import { ConfigError } from '../errors.ts';
import type { Precision } from './manifest.ts';
import { type Model, openModel } from './open-model.ts';

/**
 * Opens each variant of a model once, for as long as the operator runs: what has taken the files' place meanwhile is another
 * model, for which neither the preprocessing nor the id holds that this one was started with.
 *
 * @param path - as `openModel` has it
 * @returns what opens a variant. @throws ConfigError as `openModel`, and when its manifest is no longer that of the first
 */
export function openVariants(path: string | undefined): (precision: Precision) => Model {
  const opened = new Map<Precision, Model>();
  return (precision) => {
    const known = opened.get(precision);
    if (known) return known;
    const model = openModel(path, precision);
    const [first = model] = opened.values();
    if (!Bun.deepEquals(first.manifest, model.manifest))
      throw new ConfigError(
        `${path === undefined ? 'the executable' : `--model ${path}`}: another model has taken the place of ${first.id} since the start`,
      );
    opened.set(precision, model);
    return model;
  };
}
