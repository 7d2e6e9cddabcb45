/** What a response other than the file itself means. */
import type { IncomingMessage } from 'node:http';
import { OperatorError } from '../../errors.ts';
import { parseTargetUrl, type TargetUrl } from './target-url.ts';

const redirectStatuses: readonly (number | undefined)[] = [301, 302, 303, 307, 308];
/** Of those outside 5xx: Request Timeout, Too Early, Too Many Requests. */
const temporaryStatuses: readonly number[] = [408, 425, 429];

/**
 * Where `response` redirects to, if it does; the form of the new URL is checked here, its addresses when it is opened.
 *
 * @throws OperatorError URL_FORBIDDEN when it leads where a client's URL may not, or from https to http;
 * URL_BAD_RESPONSE when it leads nowhere
 */
export function redirectTarget(response: IncomingMessage, from: TargetUrl): TargetUrl | undefined {
  if (!redirectStatuses.includes(response.statusCode)) return undefined;
  const { location } = response.headers;
  if (location === undefined) {
    throw new OperatorError('URL_BAD_RESPONSE', `${from.host} redirects without saying where to`);
  }
  const to = parseRedirect(location, from);
  if (from.secure && !to.secure) {
    throw new OperatorError('URL_FORBIDDEN', `${from.host} redirects from https to http`);
  }
  return to;
}

function parseRedirect(location: string, from: TargetUrl): TargetUrl {
  try {
    return parseTargetUrl(location, from);
  } catch (cause) {
    if (!(cause instanceof OperatorError)) throw cause;
    const message = `${from.host} redirects to a URL that is not accepted: ${cause.message}`;
    throw new OperatorError('URL_FORBIDDEN', message, { cause });
  }
}

/** URL_UNREACHABLE for what may pass, URL_BAD_RESPONSE for what will be the same next time. */
export function statusError(status: number | undefined, host: string): OperatorError {
  const code = status ?? 0;
  const mayPass = code >= 500 || temporaryStatuses.includes(code);
  return new OperatorError(
    mayPass ? 'URL_UNREACHABLE' : 'URL_BAD_RESPONSE',
    `${host} answered with status ${code}, not 200`,
  );
}
