/** The form of a URL, before anything is looked up. */
import { OperatorError } from '../../errors.ts';

/** Presigned object-store URLs stay under 4 kB; browsers and servers commonly stop at 8 kB. */
const maxUrlLength = 8192;
/** RFC 1035, section 3.1, without the last dot. */
const maxHostLength = 253;

export interface TargetUrl {
  readonly secure: boolean;
  /** A name in ASCII without a dot at its end, or an address without brackets. */
  readonly host: string;
  readonly port: number;
  /** The value of the Host header. */
  readonly authority: string;
  /** Path and query, as they go on the request line. */
  readonly path: string;
}

/**
 * Reads a URL as browsers do (WHATWG), which turns every spelling of an address, such as `0x7f.1` or full-width digits,
 * into the one that is judged later.
 *
 * @param base - what a relative redirect is relative to
 * @throws OperatorError URL_INVALID
 */
export function parseTargetUrl(text: string, base?: TargetUrl): TargetUrl {
  if (text.length > maxUrlLength) {
    throw invalid(`the URL has ${text.length} characters; at most ${maxUrlLength} are allowed`);
  }
  const origin = base && `${base.secure ? 'https' : 'http'}://${base.authority}${base.path}`;
  if (!URL.canParse(text, origin)) throw invalid('the URL is malformed');
  const url = new URL(text, origin);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid(`a URL starts with http:// or https://, not with ${url.protocol.slice(0, 20)}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid('a URL with a user name or a password is not accepted');
  }
  const host = canonicalHost(url);
  if (host === '' || host.length > maxHostLength) throw invalid('the host of the URL is malformed');
  const secure = url.protocol === 'https:';
  return {
    secure,
    host,
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    authority: (host.includes(':') ? `[${host}]` : host) + (url.port === '' ? '' : `:${url.port}`),
    path: url.pathname + url.search,
  };
}

/** `example.com.` and `example.com` are one name; an IPv6 address has brackets in URLs only. */
export function canonicalHost(url: URL): string {
  const { hostname } = url;
  if (hostname.startsWith('[')) return hostname.slice(1, -1);
  return hostname.endsWith('.') ? hostname.slice(0, -1) : hostname;
}

const invalid = (message: string) => new OperatorError('URL_INVALID', message);
