/** Serves the page. Paths, as a table from path to method to handler, and nothing known of who serves them. */
import type { PageFile } from './bundle.ts';

interface PageRequest {
  readonly headers: Headers;
}

export type PageRoutes = Readonly<
  Record<string, { readonly GET: (request: PageRequest) => Promise<Response> }>
>;

/** The page loads its own files, calls its own operator, shows pictures the visitor gave it, and can do nothing else. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const securityHeaders = {
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy':
    'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
};

/** `/` and what it loads. */
const paths = ['/', '/page.css', '/page.js', '/icon.svg'] as const;

export const pageRoutes: PageRoutes = Object.fromEntries(
  paths.map((path) => {
    let loading: Promise<LoadedFile> | undefined;
    const GET = async ({ headers }: PageRequest): Promise<Response> => {
      loading ??= load(path);
      return answer(await loading, headers);
    };
    return [path, { GET }];
  }),
);

interface LoadedFile extends Pick<PageFile, 'contentType' | 'hash'> {
  readonly gzip: Uint8Array<ArrayBuffer>;
}

/** Imported when first asked for: starting the operator does not pay for a page that nobody opens. */
async function load(path: string): Promise<LoadedFile> {
  const { pageFiles } = await import('./page-files.ts');
  const file = pageFiles.find((candidate) => candidate.path === path);
  if (!file) throw new Error(`the page has no file ${path}`);
  const { contentType, hash, gzip } = file;
  return { contentType, hash, gzip: new Uint8Array(Buffer.from(gzip, 'base64')) };
}

function answer(file: LoadedFile, headers: Headers): Response {
  const gzip = acceptsGzip(headers.get('accept-encoding'));
  const etag = `"${file.hash}${gzip ? '-gzip' : ''}"`;
  const common = {
    ...securityHeaders,
    etag,
    'cache-control': 'no-cache',
    vary: 'Accept-Encoding',
  };
  if (matches(headers.get('if-none-match'), etag))
    return new Response(null, { status: 304, headers: common });
  return new Response(gzip ? file.gzip : Bun.gunzipSync(file.gzip), {
    headers: {
      ...common,
      'content-type': file.contentType,
      ...(gzip && { 'content-encoding': 'gzip' }),
    },
  });
}

/** RFC 9110, 12.5.3, as far as one coding needs it: named (or `*`) and not refused by `q=0`. */
function acceptsGzip(header: string | null): boolean {
  const codings = new Map(
    (header ?? '').split(',').map((part) => {
      const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
      const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
      return [name, Number(quality)];
    }),
  );
  return (codings.get('gzip') ?? codings.get('*') ?? 0) > 0;
}

/** RFC 9110, 13.1.2: weak comparison. */
function matches(ifNoneMatch: string | null, etag: string): boolean {
  return (ifNoneMatch ?? '')
    .split(',')
    .map((candidate) => candidate.trim().replace(/^W\//, ''))
    .some((candidate) => candidate === '*' || candidate === etag);
}
