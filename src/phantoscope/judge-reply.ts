/** Whether the reply to an Execute of one image keeps what Identity promised. */
import { printable } from './failure.ts';
import type { ExecuteAnswer, Identity } from './operator-client.ts';

export interface Verdict {
  /** For the report. */
  readonly lines: readonly string[];
  readonly problems: readonly string[];
}

export function judgeReply(identity: Identity, reply: ExecuteAnswer): Verdict {
  // Phantoscope knows two types. A dimension of -1 is the mark of a processor as well.
  const processor = identity.type === 'processor' || identity.dimension === '-1';
  const verdict = processor ? judgeProcessor(reply) : judgeEncoder(identity, reply);
  const problems = [...verdict.problems];
  if (identity.type !== 'encoder' && identity.type !== 'processor') {
    const type = printable(identity.type, 40);
    problems.push(`its type is "${type}"; Phantoscope knows "encoder" and "processor"`);
  }
  if (processor && identity.dimension !== '-1') {
    const dimension = printable(identity.dimension, 20);
    problems.push(`a processor's dimension is -1, this one says "${dimension}"`);
  }
  return { lines: verdict.lines, problems };
}

function judgeEncoder(identity: Identity, { nums, vectors }: ExecuteAnswer): Verdict {
  const problems: string[] = [];
  if (vectors.length !== 1) {
    problems.push(`one image was sent, ${vectors.length} vectors came back`);
  }
  if (nums !== vectors.length) {
    problems.push(`nums is ${nums}, the number of vectors ${vectors.length}`);
  }
  const promised = Number(identity.dimension);
  if (!Number.isInteger(promised) || promised < 1) {
    problems.push(
      `Identity gives the dimension as "${printable(identity.dimension, 20)}", not as a number`,
    );
  }
  vectors.forEach((vector, index) => {
    if (vector.length !== promised) {
      problems.push(
        `vector ${index} has ${vector.length} elements, Identity says ${printable(identity.dimension, 20)}`,
      );
    }
    const bad = vector.filter((element) => !Number.isFinite(element)).length;
    if (bad > 0) problems.push(`vector ${index} has ${bad} elements that are not finite numbers`);
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
