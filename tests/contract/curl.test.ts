/** curl with JSON, over HTTP/1.1 and HTTP/2 with prior knowledge. */
import { describe, expect } from 'bun:test';
import { contractTest, noProgram, sharedOperator } from './contract-test.ts';
import { largePicture, norm, smallPicture } from './pictures.ts';

const operator = sharedOperator();
const noCurl = noProgram('curl');

interface Answer {
  readonly healthy?: string;
  readonly name?: string;
  readonly metricType?: string;
  readonly code?: string;
  readonly nums?: string;
  readonly vectors?: readonly { readonly element: readonly number[] }[];
}

async function curl(
  args: readonly string[],
  body?: unknown,
): Promise<{ status: number; json: Answer }> {
  const sent =
    body === undefined ? [] : ['-H', 'content-type: application/json', '--data-binary', '@-'];
  const child = Bun.spawn(['curl', '-sS', '-m', '60', '-w', '\n%{http_code}', ...args, ...sent], {
    stdin: body === undefined ? 'ignore' : new Blob([JSON.stringify(body)]),
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const text = await new Response(child.stdout).text();
  const cut = text.lastIndexOf('\n');
  if ((await child.exited) !== 0) throw new Error(await new Response(child.stderr).text());
  return { status: Number(text.slice(cut)), json: JSON.parse(text.slice(0, cut)) };
}

describe.each([
  ['HTTP/1.1', '--http1.1'],
  ['HTTP/2', '--http2-prior-knowledge'],
])('%s', (_, version) => {
  const call = (method: string, body: unknown): ReturnType<typeof curl> =>
    curl([version, `${operator().url}/omnisearch.Operator/${method}`], body);

  contractTest(
    'all three calls',
    async () => {
      expect(await call('Healthy', {})).toEqual({ status: 200, json: { healthy: 'healthy' } });
      expect((await call('Identity', {})).json).toMatchObject({
        name: 'resnet50_encoder',
        metricType: 'L2',
      });
      const { json } = await call('Execute', { datas: [smallPicture(1)] });
      expect(json.nums).toBe('1');
      expect(norm(json.vectors?.[0]?.element ?? [])).toBeCloseTo(1, 5);
    },
    noCurl,
  );

  contractTest(
    'a request of 60 MB',
    async () => {
      const { status, json } = await call('Execute', { datas: [largePicture()] });
      expect(status).toBe(200);
      expect(json.vectors?.[0]?.element).toHaveLength(2048);
    },
    noCurl,
  );

  contractTest(
    'a message of 101 MiB is RESOURCE_EXHAUSTED',
    async () => {
      const { status, json } = await call('Execute', { datas: ['A'.repeat(101 * 1024 * 1024)] });
      expect(status).toBe(429);
      expect(json.code).toBe('resource_exhausted');
    },
    noCurl,
  );

  contractTest(
    'probes',
    async () => {
      for (const path of ['/healthz', '/readyz'])
        expect((await curl([version, operator().url + path])).status).toBe(200);
      expect((await curl([version, `${operator().url}/nothing`])).status).toBe(404);
    },
    noCurl,
  );
});
