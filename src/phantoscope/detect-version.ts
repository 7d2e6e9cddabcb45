import { PhantoscopeError } from './failure.ts';
import { field, unexpected } from './operator-record.ts';
import { asRecord, describeReply, type Rest } from './rest.ts';

export type ApiVersion = 'v0.1' | 'v0.2';

/**
 * Which REST API is there. Both versions answer `OPTIONS /v1/operator/register`: in v0.2 it is a route of its own that
 * takes POST, in v0.1 "register" is read as an operator's name, which takes GET and DELETE only.
 */
export async function detectVersion(rest: Rest): Promise<ApiVersion> {
  const options = await rest.call({ method: 'OPTIONS', path: '/v1/operator/register' });
  const allow = (options.headers.get('allow') ?? '')
    .split(',')
    .map((method) => method.trim().toUpperCase());
  if (options.status < 300 && allow.includes('GET') && allow.includes('DELETE')) {
    return allow.includes('POST') ? 'v0.2' : 'v0.1';
  }
  return fromList(rest);
}

/** A proxy in front may answer OPTIONS itself: then the fields of what is registered tell, if anything is. */
async function fromList(rest: Rest): Promise<ApiVersion> {
  const reply = await rest.call({ method: 'GET', path: '/v1/operator/' });
  if (reply.status !== 200 || !Array.isArray(reply.json)) {
    throw unexpected(rest, 'GET /v1/operator/', describeReply(reply), reply.status);
  }
  for (const entry of reply.json) {
    const record = asRecord(entry);
    if (record && field(record, 'endpoint') !== '') return 'v0.1';
    if (record && field(record, 'addr') !== '') return 'v0.2';
  }
  throw new PhantoscopeError(
    'not-phantoscope',
    `${rest.url} does not say which version of Phantoscope it is: give --api v0.1 or --api v0.2`,
  );
}
