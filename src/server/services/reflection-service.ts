/** Server reflection, v1 and v1alpha: the same questions and answers under two names. */
import { Code, type ServiceImpl } from '@connectrpc/connect';
import { file_grpc_health_v1_health } from '../../gen/grpc/health/v1/health_pb.ts';
import {
  file_grpc_reflection_v1_reflection,
  type ServerReflection,
} from '../../gen/grpc/reflection/v1/reflection_pb.ts';
import {
  file_grpc_reflection_v1alpha_reflection,
  type ServerReflection as ServerReflectionAlpha,
} from '../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { file_omnisearch_operator } from '../../gen/omnisearch/operator_pb.ts';
import { inTurns } from '../limits/in-turns.ts';
import type { LoopScheduler } from '../limits/loop-scheduler.ts';
import { untilAborted } from '../limits/until-aborted.ts';
import type { Readiness } from '../readiness.ts';
import { createReflectionIndex, type ReflectionIndex } from './reflection-index.ts';

/** What both versions' requests have in common. */
interface Question {
  readonly host: string;
  readonly messageRequest:
    | { readonly case: 'fileByFilename' | 'fileContainingSymbol'; readonly value: string }
    | { readonly case: 'allExtensionNumbersOfType' | 'listServices'; readonly value: string }
    | { readonly case: 'fileContainingExtension'; readonly value: object }
    | { readonly case: undefined };
}

export interface ReflectionServices {
  readonly v1: ServiceImpl<typeof ServerReflection>;
  readonly v1alpha: ServiceImpl<typeof ServerReflectionAlpha>;
}

export function createReflectionServices(
  readiness: Readiness,
  loop: LoopScheduler,
): ReflectionServices {
  const index = createReflectionIndex([
    file_omnisearch_operator,
    file_grpc_health_v1_health,
    file_grpc_reflection_v1_reflection,
    file_grpc_reflection_v1alpha_reflection,
  ]);
  return {
    v1: {
      async *serverReflectionInfo(requests) {
        for await (const request of inTurns(untilDraining(requests, readiness.draining), loop))
          yield { originalRequest: request, ...answer(index, request) };
      },
    },
    v1alpha: {
      async *serverReflectionInfo(requests) {
        for await (const request of inTurns(untilDraining(requests, readiness.draining), loop))
          yield { originalRequest: request, ...answer(index, request) };
      },
    },
  };
}

/** A tool that keeps its stream open must not hold up the end. */
async function* untilDraining<T>(
  requests: AsyncIterable<T>,
  draining: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const iterator = requests[Symbol.asyncIterator]();
  const over: IteratorResult<T> = { done: true, value: undefined };
  while (!draining.aborted) {
    const next = await untilAborted(iterator.next(), draining).catch((error: unknown) => {
      if (draining.aborted) return over;
      throw error;
    });
    if (next.done) return;
    yield next.value;
  }
}

function answer(index: ReflectionIndex, { host, messageRequest: question }: Question) {
  return { validHost: host, messageResponse: reply(index, question) };
}

function reply(index: ReflectionIndex, question: Question['messageRequest']) {
  const file = (found: Uint8Array[] | undefined, what: string) =>
    found
      ? ({ case: 'fileDescriptorResponse', value: { fileDescriptorProto: found } } as const)
      : failure(Code.NotFound, `there is no ${what} here`);
  switch (question.case) {
    case 'listServices': {
      const service = index.services.map((name) => ({ name }));
      return { case: 'listServicesResponse', value: { service } } as const;
    }
    case 'fileByFilename':
      return file(index.fileByName(question.value), `file ${question.value}`);
    case 'fileContainingSymbol':
      return file(index.fileBySymbol(question.value), `symbol ${question.value}`);
    case 'allExtensionNumbersOfType': {
      if (!index.hasMessage(question.value))
        return failure(Code.NotFound, `there is no message ${question.value} here`);
      const value = { baseTypeName: question.value, extensionNumber: [] };
      return { case: 'allExtensionNumbersResponse', value } as const;
    }
    case 'fileContainingExtension':
      return failure(Code.NotFound, 'there are no extensions here');
    default:
      return failure(Code.InvalidArgument, 'the request asks nothing');
  }
}

function failure(errorCode: Code, errorMessage: string) {
  return { case: 'errorResponse', value: { errorCode, errorMessage } } as const;
}
