/** The images of a request side by side: every result, or one error that knows of every image that is to blame. */
import { OperatorError, toOperatorError } from '../errors.ts';

/** After the first bad image, how long the others may still be looked at, so that the error can name those as well. */
const lookOnMs = 500;

export interface ImageSignals {
  /** For fetching and decoding. */
  readonly look: AbortSignal;
  /** For the network: nothing is computed any more once one image has failed. */
  readonly compute: AbortSignal;
}

/** @throws OperatorError of the first bad image in the order of the request, the other bad ones in `others` */
export async function settleImages<Image, Result>(
  images: readonly Image[],
  signal: AbortSignal,
  embedOne: (image: Image, item: number, signals: ImageSignals) => Promise<Result>,
): Promise<Result[]> {
  const looking = new AbortController();
  const computing = new AbortController();
  const signals = {
    look: AbortSignal.any([signal, looking.signal]),
    compute: AbortSignal.any([signal, computing.signal]),
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const results = await Promise.allSettled(
    images.map(async (image, item) => {
      try {
        return await embedOne(image, item, signals);
      } catch (thrown) {
        const error = toOperatorError(thrown).atItem(item);
        computing.abort();
        if (isBlamed(error)) timer ??= setTimeout(() => looking.abort(), lookOnMs);
        else if (error.code !== 'CANCELLED') looking.abort();
        throw error;
      }
    }),
  );
  clearTimeout(timer);
  return allOrError(results);
}

/** Whether it is this image that is wrong, and not the state of the operator or of the call. */
const isBlamed = ({ code }: OperatorError): boolean => /^(IMAGE|BASE64|URL)_/.test(code);

function allOrError<Result>(results: readonly PromiseSettledResult<Result>[]): Result[] {
  const errors = results.flatMap((r) =>
    r.status === 'rejected' ? [toOperatorError(r.reason)] : [],
  );
  // What was called off follows from another error.
  const first = errors.find((error) => error.code !== 'CANCELLED') ?? errors[0];
  if (!first) return results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []));
  const { code, message, item, cause } = first;
  const others = errors.filter((error) => error !== first && isBlamed(error));
  throw new OperatorError(code, message, { item, cause, others });
}
