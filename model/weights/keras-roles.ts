/** What the numbers of a Keras layer are, by their names where these say so. */
import type { WeightRole } from '../resnet/weights.ts';

/** Keras 2's words, and those of Keras 1, whose `running_std` holds the variance all the same. */
const words: Readonly<Record<string, WeightRole>> = {
  ...{ kernel: 'kernel', W: 'kernel', bias: 'bias', b: 'bias', gamma: 'gamma', beta: 'beta' },
  ...{ moving_mean: 'mean', running_mean: 'mean' },
  ...{ moving_variance: 'variance', running_var: 'variance', running_std: 'variance' },
};

/** At the end of `bn_conv1/gamma:0` or `bn_conv1_gamma:0`; TensorFlow adds a number to a name that is taken. */
const lastWord = new RegExp(`(?:^|[/_])(${Object.keys(words).join('|')})(?:_\\d+)?(?::\\d+)?$`);

/** The role that a weight's name ends with; undefined where it ends with no word that is known (`param_0`). */
export function roleOf(name: string): WeightRole | undefined {
  const word = lastWord.exec(name)?.[1];
  return word === undefined ? undefined : words[word];
}

/**
 * The name of each role among a layer's weights: by the names where all of them say what they are, by the order in which
 * Keras writes them where they do not.
 * @param names - in the order of the file, as many as there are roles
 * @param roles - in Keras's order
 * @returns names in the order of `roles`; or what contradicts it, which completes "layer bn_conv1: "
 */
export function sortByRole(
  names: readonly string[],
  roles: readonly WeightRole[],
): readonly string[] | { readonly contradiction: string } {
  const found = names.map(roleOf);
  const wanted = roles.join(', ');
  const foreign = found.findIndex((role) => role !== undefined && !roles.includes(role));
  if (foreign >= 0)
    return { contradiction: `${names[foreign]} is a ${found[foreign]}, and not one of ${wanted}` };
  const second = found.findIndex((role, i) => role !== undefined && found.indexOf(role) < i);
  if (second >= 0)
    return {
      contradiction: `${names[found.indexOf(found[second])]} and ${names[second]} are both a ${found[second]}, and there is one of each: ${wanted}`,
    };
  if (!found.includes(undefined)) return roles.map((role) => names[found.indexOf(role)]!);
  // Without names the order has to do; a name that is there has to be where the order puts it.
  const elsewhere = found.findIndex((role, i) => role !== undefined && role !== roles[i]);
  if (elsewhere < 0) return names;
  return {
    contradiction: `${names[elsewhere]} is a ${found[elsewhere]} in the place of the ${roles[elsewhere]}, and ${names[found.indexOf(undefined)]} does not say what it is`,
  };
}
