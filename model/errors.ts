/** The model could not be made, and the message says why and what to do: printed without a stack, exit code 1. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
}
