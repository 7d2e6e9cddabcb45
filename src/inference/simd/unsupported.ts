/** A model that this engine does not run; onnxruntime may. The message names what it is about, for the log. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported';
}
