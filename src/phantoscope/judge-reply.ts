/** Whether the reply to an Execute of one image keeps what Identity promised. */
import { printable } from './failure.ts';
import type { ExecuteAnswer, Identity } from './operator-client.ts';

export interface Verdict {
  /** For the report. */
  readonly lines: readonly string[];
  readonly problems: readonly string[];
}

/** What each type says of itself; Milvus compares vectors of floats by either of two metrics. */
const promised = {
  encoder: { input: ['image'], output: ['vector'], metricType: ['L2', 'IP'] },
  processor: { input: ['image'], output: ['images'], metricType: ['-1'] },
} as const;

export function judgeReply(identity: Identity, reply: ExecuteAnswer): Verdict {
  const type = identity.type === 'processor' ? 'processor' : 'encoder';
  const verdict = type === 'processor' ? judgeProcessor(reply) : judgeEncoder(identity, reply);
  const problems = [...verdict.problems];
  if (identity.type !== type) {
    const said = printable(identity.type, 40);
    problems.push(`its type is "${said}"; Phantoscope knows "encoder" and "processor"`);
  }
  if (type === 'processor' && identity.dimension !== '-1') {
    const dimension = printable(identity.dimension, 20);
    problems.push(`a processor's dimension is -1, this one says "${dimension}"`);
  }
  if (identity.name === '') problems.push('Identity gives no name');
  for (const key of ['input', 'output', 'metricType'] as const) {
    const allowed: readonly string[] = promised[type][key];
    if (allowed.includes(identity[key])) continue;
    const [a, what] = [type === 'encoder' ? 'an' : 'a', key === 'metricType' ? 'metric' : key];
    const said = printable(identity[key], 20);
    problems.push(`${a} ${type}'s ${what} is ${allowed.join(' or ')}, this one says "${said}"`);
  }
  return { lines: verdict.lines, problems };
}

function judgeEncoder(
  { dimension }: Identity,
  { nums, vectors, metadata }: ExecuteAnswer,
): Verdict {
  const problems: string[] = [];
  if (vectors.length !== 1) {
    problems.push(`one image was sent, ${vectors.length} vectors came back`);
  }
  if (nums !== vectors.length) {
    problems.push(`nums is ${nums}, the number of vectors ${vectors.length}`);
  }
  if (metadata.length > 0) {
    problems.push(`an encoder sends no metadata, ${metadata.length} came back`);
  }
  const said = printable(dimension, 20);
  const length = /^\d+$/.test(dimension) ? Number(dimension) : 0;
  if (length < 1) problems.push(`Identity gives the dimension as "${said}", not as a number`);
  vectors.forEach((vector, index) => {
    if (vector.length !== length) {
      problems.push(`vector ${index} has ${vector.length} elements, Identity says ${said}`);
    }
    const bad = vector.filter((element) => !Number.isFinite(element)).length;
    if (bad > 0) problems.push(`vector ${index} has ${bad} elements that are not finite numbers`);
    if (vector.length > 0 && vector.every((element) => element === 0)) {
      problems.push(`vector ${index} is all zeros: nothing can be found by it`);
    }
  });
  const [first] = vectors;
  return { lines: first ? [`vector dim: ${first.length}`] : [], problems };
}

/** Crops as base64 text in `metadata[i].data`; none at all is an answer, too: nothing was found in the picture. */
function judgeProcessor({ nums, vectors, metadata }: ExecuteAnswer): Verdict {
  const problems: string[] = [];
  const lines: string[] = [];
  if (vectors.length > 0)
    problems.push(`a processor sends no vectors, ${vectors.length} came back`);
  if (nums !== metadata.length) {
    problems.push(`nums is ${nums}, the number of crops ${metadata.length}`);
  }
  metadata.forEach(({ data }, index) => {
    const text = new TextDecoder().decode(data).replace(/^data:[^,]{0,100};base64,/, '');
    const bytes = Buffer.from(text, 'base64').length;
    if (bytes === 0 || !/^[A-Za-z0-9+/\r\n]+={0,2}\s*$/.test(text)) {
      problems.push(`crop ${index} is not base64 text, which the next operator expects`);
    } else {
      lines.push(`crop ${index}: ${bytes} bytes`);
    }
  });
  if (metadata.length === 0) {
    lines.push('nothing found in the picture; --image gives another one');
  }
  return { lines, problems };
}
