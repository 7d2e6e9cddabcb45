import type { Parsed } from '../endpoint.ts';

/** The address of Phantoscope's API server, `http://host:5000`; the value has no trailing slash. */
export function parseApiUrl(text: string): Parsed<string> {
  if (!/^https?:\/\//i.test(text)) return { problem: 'does not begin with http:// or https://' };
  if (!URL.canParse(text)) return { problem: 'is not a URL' };
  const url = new URL(text);
  if (url.username || url.password) return { problem: 'holds a user name or a password' };
  if (url.search || url.hash || /\/v1(\/|$)/.test(url.pathname)) {
    return { problem: 'holds more than the address of the server' };
  }
  return { value: url.origin + url.pathname.replace(/\/+$/, '') };
}
