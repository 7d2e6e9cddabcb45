/** Keras's HDF5 files as layers with ordered weights; the one file that imports h5wasm. */
import { Dataset, File, Group, Module, ready } from 'h5wasm/node';
import { ModelError } from '../errors.ts';

export interface KerasFile {
  readonly path: string;
  /** Each layer's weight names in the order in which Keras wrote them; layers without weights are left out. */
  readonly layers: ReadonlyMap<string, readonly string[]>;
  /** What a whole saved model says of its layers, as Keras wrote it; undefined in a file of weights only. */
  readonly config: unknown;
  /**
   * Reads a dataset, after its type and shape were checked.
   * @throws ModelError naming the file, the layer and the dataset
   */
  read(layer: string, weight: string, shape: readonly number[]): Float32Array;
  close(): void;
}

/**
 * Opens a file that Keras 1 or 2 wrote with `save_weights`, or with `save` (then the weights are one group deeper).
 * @throws ModelError when it is no such file
 */
export async function openKerasFile(path: string): Promise<KerasFile> {
  await ready;
  // Errors become exceptions with HDF5's own words; otherwise they are printed and the call returns nonsense.
  Module.activate_throwing_error_handler();
  const file = attempt(path, () => new File(path, 'r'));
  try {
    const layers = readLayers(file, path);
    return {
      path,
      layers,
      config: readConfig(file, path),
      read: (layer, weight, shape) =>
        attempt(`${path}: layer ${layer}`, () => readDataset(file, path, { layer, weight, shape })),
      close: () => void file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The group that holds the layers: the root, or `model_weights` where a whole model was saved. */
function layerRoot(file: Group): Group {
  const inner = 'layer_names' in file.attrs ? null : file.get('model_weights');
  return inner instanceof Group ? inner : file;
}

function readLayers(file: Group, path: string): Map<string, string[]> {
  return attempt(path, () => {
    const root = layerRoot(file);
    const names = readNames(root, 'layer_names');
    if (!names)
      throw new ModelError(
        `${path}: an HDF5 file, but not Keras weights: it has no attribute layer_names (Keras 3's .weights.h5 is another format)`,
      );
    const layers = new Map<string, string[]>();
    for (const name of names) {
      const group = root.get(name);
      if (!(group instanceof Group))
        throw new ModelError(`${path}: layer ${name} is listed, but its group is missing`);
      const weights = readNames(group, 'weight_names');
      if (!weights) throw new ModelError(`${path}: layer ${name} has no attribute weight_names`);
      if (weights.length > 0) layers.set(name, weights);
    }
    return layers;
  });
}

/** `model_config` of a saved model: JSON. */
function readConfig(file: Group, path: string): unknown {
  const value = attempt(path, () => file.attrs.model_config?.value);
  if (value === undefined) return undefined;
  try {
    return JSON.parse(String(value));
  } catch {
    throw new ModelError(`${path}: its attribute model_config is not JSON; the file is damaged`);
  }
}

/** A list of names; Keras 2 splits one that is too long for an HDF5 attribute into `name0`, `name1` … */
function readNames(group: Group, attribute: string): string[] | undefined {
  const attrs = group.attrs;
  const whole = attrs[attribute];
  const parts = whole ? [whole] : [];
  if (!whole)
    for (let i = 0, part = attrs[`${attribute}0`]; part; part = attrs[`${attribute}${++i}`])
      parts.push(part);
  if (parts.length === 0) return undefined;
  return parts.flatMap(({ value }) => {
    const list = Array.isArray(value) ? value : [...((value as Iterable<unknown> | null) ?? [])];
    return list.map(String);
  });
}

interface DatasetRequest {
  layer: string;
  weight: string;
  shape: readonly number[];
}

function readDataset(
  file: Group,
  path: string,
  { layer, weight, shape }: DatasetRequest,
): Float32Array {
  const where = `${path}: layer ${layer}: ${weight}`;
  const group = layerRoot(file).get(layer);
  const dataset = group instanceof Group ? group.get(weight) : null;
  if (!(dataset instanceof Dataset)) throw new ModelError(`${where} is missing`);
  const found = dataset.shape ?? [];
  if (found.join() !== shape.join())
    throw new ModelError(`${where} has shape [${found.join(', ')}], not [${shape.join(', ')}]`);
  if (dataset.dtype !== '<f')
    throw new ModelError(`${where} is not float32 but ${JSON.stringify(dataset.dtype)}`);
  const values = dataset.value;
  if (!(values instanceof Float32Array)) throw new ModelError(`${where} cannot be read`);
  return values;
}

/** Runs `work`; whatever HDF5 throws becomes a ModelError about `where`. */
function attempt<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ModelError) throw error;
    const reason = innermost(error instanceof Error ? error.message : String(error));
    throw new ModelError(`${where}: not readable as HDF5, the file is short or damaged: ${reason}`);
  }
}

/** HDF5 tells its whole call stack, one `#003: file.c line 1 in function(): reason` a line; the last line knows why. */
function innermost(trace: string): string {
  const reasons = [...trace.matchAll(/#\d+: .*\(\): (.+)$/gm)];
  return reasons.at(-1)?.[1] ?? trace.split('\n')[0] ?? trace;
}
