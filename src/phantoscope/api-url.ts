import { ConfigError } from '../errors.ts';

/**
 * The address of Phantoscope's API server, `http://host:5000`, without a trailing slash; a path before `/v1` is kept.
 * @throws ConfigError saying what was read and what is expected
 */
export function parseApiUrl(text: string): string {
  const expected = 'expected the address of the API server, for example http://192.168.1.10:5000';
  if (!/^https?:\/\//i.test(text)) throw new ConfigError(`"${text}": ${expected}`);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new ConfigError(`"${text}" is not a URL: ${expected}`);
  }
  if (url.username || url.password) {
    throw new ConfigError(`a URL with a user name or a password is not supported: ${expected}`);
  }
  if (url.search || url.hash || /\/v1(\/|$)/.test(url.pathname)) {
    throw new ConfigError(`"${text}": ${expected}, without /v1 and what follows`);
  }
  return url.origin + url.pathname.replace(/\/+$/, '');
}
