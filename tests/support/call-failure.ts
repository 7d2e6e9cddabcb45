import { ConnectError } from '@connectrpc/connect';

/** What a call is rejected with. @throws Error when it is not */
export const failureOf = (call: Promise<unknown>): Promise<ConnectError> =>
  call.then(
    () => {
      throw new Error('it succeeded');
    },
    (error: unknown) => ConnectError.from(error),
  );
