/** Of an error of a connection, what may be logged: some carry the bytes that were read. */
export const reasonOf = ({ code, message }: NodeJS.ErrnoException): Record<string, unknown> => ({
  code,
  reason: message,
});
