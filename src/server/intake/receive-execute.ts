/**
 * Takes the images of an Execute out of its body while it arrives, in every format, and asks for admission as it goes: a
 * request that is too large, or comes at a bad time, is refused before it has been sent, and an image by its first bytes.
 * Connect gets a message without the images; the service finds them in the call's context.
 */
import { randomUUID } from 'node:crypto';
import { type ContextValues, createContextKey } from '@connectrpc/connect';
import type { Ticket } from '../../embedder/admission.ts';
import type { Embedder, EmbedRequest, EncodedText } from '../../embedder/embedder.ts';
import type { ExecuteRequest } from '../../gen/omnisearch/operator_pb.ts';
import { isGrpc } from '../call-record.ts';
import type { RpcHandler, UniversalReply, UniversalRequest } from '../http-types.ts';
import { inTurns } from '../limits/in-turns.ts';
import type { LoopScheduler } from '../limits/loop-scheduler.ts';
import type { Readiness } from '../readiness.ts';
import { createJsonReader } from './json-reader.ts';
import { bareMessage, type Chunks, envelopedMessage, prefixOf } from './message-chunks.ts';
import { type MessageReader, readMessage, type TextSink } from './message-reader.ts';
import { createProtobufReader } from './protobuf-reader.ts';
import { createTextBuffers, type TextBuffers } from './text-buffers.ts';

export interface ReceiveOptions {
  readonly readiness: Readiness;
  readonly loop: LoopScheduler;
  readonly maxMessageBytes: number;
  readonly maxImages: number;
}

/** What was received, and the embedder that has admitted it: also when a drain has begun since. */
export interface ReceivedImages {
  readonly request: EmbedRequest;
  readonly embedder: Embedder;
}

type Received = (message: ExecuteRequest) => ReceivedImages;

const receivedKey = createContextKey<Received | undefined>(undefined, {
  description: 'received images',
});

/** The images of a call that came through `receiveExecute`, and its place. @param message - what Connect has parsed */
export function receivedFor(message: ExecuteRequest, values: ContextValues): ReceivedImages {
  const received = values.get(receivedKey);
  if (!received) throw new Error('an Execute that did not come through receiveExecute');
  return received(message);
}

/** In front of Connect's handler of Execute. */
export function receiveExecute<H extends RpcHandler>(handler: H, options: ReceiveOptions): H {
  const receive = async (request: UniversalRequest): Promise<UniversalReply> => {
    await options.loop.ready('call');
    const intake = openIntake(request, options);
    try {
      return await handler({
        ...request,
        header: intake.header,
        body: intake.body,
        contextValues: request.contextValues.set(receivedKey, intake.received),
      });
    } finally {
      intake.close();
    }
  };
  return Object.assign(receive, handler);
}

interface Intake {
  readonly header: Headers;
  readonly body: Chunks;
  readonly received: Received;
  close(): void;
}

interface Opened {
  readonly embedder: Embedder;
  readonly ticket: Ticket;
  readonly texts: TextBuffers;
}

function openIntake(request: UniversalRequest, options: ReceiveOptions): Intake {
  const { maxImages, maxMessageBytes } = options;
  const maxRest = maxRestOf(maxImages);
  const type = request.header.get('content-type') ?? '';
  const enveloped = isGrpc(type);
  const json = /json/i.test(type);
  const name = `text-${randomUUID()}-`;
  let opened: Opened | undefined;

  /** Not before Connect asks for the body: until then it may have refused the request for its header. */
  function open(): Opened {
    const embedder = options.readiness.serving();
    const ticket = embedder.admission.open();
    opened = {
      embedder,
      ticket,
      texts: createTextBuffers({ ticket, maxImages, maxRest, maxMessageBytes }),
    };
    return opened;
  }

  function readerFor(sink: TextSink): MessageReader {
    if (!json) return createProtobufReader(sink, maxMessageBytes);
    const maxTexts = maxTextsOf(maxImages);
    return createJsonReader({ sink, nameOf: (n) => name + n, maxRest, maxTexts });
  }

  async function* body(): Chunks & AsyncGenerator<Uint8Array> {
    const { ticket, texts } = open();
    const expect = (bytes: number): void => {
      ticket.expect(bytes);
      texts.expect(bytes);
    };
    const message = { maxMessageBytes, expect };
    const pieces = inTurns(request.body, options.loop);
    const chunks = enveloped
      ? envelopedMessage(pieces, message)
      : bareMessage(pieces, request.header, message);
    const rest = await readMessage(chunks, readerFor(texts));
    ticket.hold(rest.length);
    if (enveloped) yield prefixOf(rest.length);
    if (rest.length > 0) yield rest;
  }

  return {
    header: headerOfRest(request.header),
    body: body(),
    received(message) {
      if (!opened) throw new Error('a message without its body');
      const { embedder, ticket, texts } = opened;
      const taken = (text: string): EncodedText =>
        (text.startsWith(name) && texts.datas[Number(text.slice(name.length))]) || text;
      const datas = json ? message.datas.map(taken) : texts.datas;
      const urls = json ? message.urls : texts.urls;
      return { request: { ticket, datas, urls }, embedder };
    },
    close() {
      opened?.texts.discard();
      opened?.ticket.close();
    },
  };
}

/** Beside the images, in JSON: above all URLs, which have at most 8192 characters, some of them written as escapes. */
const maxRestOf = (maxImages: number): number => 2 ** 20 + maxImages * 2 ** 14;

/** Images, as many URLs, and some more, for those who check what is counted to be told what is too many. */
const maxTextsOf = (maxImages: number): number => 2 * maxImages + 1000;

/** What the header says of the body no longer holds. An encoding that is not ours stays, for Connect to refuse. */
function headerOfRest(header: Headers): Headers {
  const changed = new Headers(header);
  changed.delete('content-length');
  if (changed.get('content-encoding') === 'gzip') changed.delete('content-encoding');
  return changed;
}
