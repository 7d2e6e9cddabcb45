/** The model could not be made, and the message says why and what to do: printed without a stack, exit code 1. */
export class ModelError extends Error {
  override readonly name: string = 'ModelError';
}

/** The weights could not be had from the network (or only damaged): a caller may go on without them. */
export class DownloadError extends ModelError {
  override readonly name = 'DownloadError';
}
