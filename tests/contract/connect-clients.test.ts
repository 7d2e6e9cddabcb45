/** Connect's own clients over every protocol and both versions of HTTP. */
import { describe, expect } from 'bun:test';
import { createClient } from '@connectrpc/connect';
import { Operator } from '../../src/gen/omnisearch/operator_pb.ts';
import { transports } from '../server/start-server.ts';
import { contractTest, sharedOperator } from './contract-test.ts';
import { norm, smallPicture } from './pictures.ts';

const operator = sharedOperator({ args: ['--endpoint', 'edge:52001'] });

describe.each(Object.entries(transports))('%s', (_, transport) => {
  contractTest('all three calls', async () => {
    const client = createClient(Operator, transport(operator().url));
    expect((await client.healthy({})).healthy).toBe('healthy');
    expect(await client.identity({})).toMatchObject({
      name: 'resnet50_encoder',
      endpoint: 'edge:52001',
      type: 'encoder',
      input: 'image',
      output: 'vector',
      dimension: '2048',
      metricType: 'L2',
    });
    const datas = [smallPicture(1), `data:image/png;base64,${smallPicture(2)}`, smallPicture(1)];
    const reply = await client.execute({ datas });
    expect(reply.nums).toBe(3n);
    expect(reply.metadata).toEqual([]);
    const [first = [], second = [], third = []] = reply.vectors.map((vector) => vector.element);
    for (const vector of [first, second, third]) {
      expect(vector).toHaveLength(2048);
      expect(norm(vector)).toBeCloseTo(1, 5);
    }
    expect(third).toEqual(first);
    expect(second).not.toEqual(first);
  });
});
