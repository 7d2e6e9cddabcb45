/** Every call that there is: who answers it, and how many of its kind there may be at once. */
import { createConnectRouter } from '@connectrpc/connect';
import type { Config } from '../../config/options.ts';
import { Health } from '../../gen/grpc/health/v1/health_pb.ts';
import { ServerReflection } from '../../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { Operator } from '../../gen/omnisearch/operator_pb.ts';
import { convertBodyErrors, convertServiceErrors } from '../errors/error-boundary.ts';
import type { RpcHandler } from '../http-types.ts';
import { receiveExecute } from '../intake/receive-execute.ts';
import type { LoopScheduler } from '../limits/loop-scheduler.ts';
import { createPlaces, type Places } from '../limits/places.ts';
import type { Readiness } from '../readiness.ts';
import { createHealthService } from '../services/health-service.ts';
import { createOperatorService } from '../services/operator-service.ts';
import { createReflectionServices } from '../services/reflection-service.ts';
import { acceptCompression, compressMinBytes } from './reply-encoding.ts';

export interface Rpc {
  readonly path: string;
  readonly handler: RpcHandler;
  readonly places: Places;
}

export interface RpcsOptions {
  readonly config: Pick<Config, 'endpoint' | 'maxImages' | 'maxMessageBytes' | 'maxCalls'>;
  readonly readiness: Readiness;
  readonly loop: LoopScheduler;
  /** Of all that is answered at once, Healthy above all: a crowd of Executes takes nothing from it. */
  readonly promptPlaces: Places;
  /** Told of each Execute that is one too many. */
  readonly onFull: () => void;
  /** Cuts off what still runs. */
  readonly shutdownSignal: AbortSignal;
}

/** Most bytes of a request that holds no images. */
const smallMessage = 64 * 1024;

/** Health's Watch and reflection are open for as long as their clients like, and hold nothing that others need. */
const maxStreams = 256;

export function createRpcs(options: RpcsOptions): readonly Rpc[] {
  const { config, readiness } = options;
  const router = createConnectRouter({
    acceptCompression,
    compressMinBytes,
    readMaxBytes: smallMessage,
    writeMaxBytes: config.maxMessageBytes,
    shutdownSignal: options.shutdownSignal,
    interceptors: [convertServiceErrors],
  });
  const operator = createOperatorService(readiness, config);
  const { method } = Operator;
  router.rpc(method.execute, operator.execute, { readMaxBytes: config.maxMessageBytes });
  router.rpc(method.healthy, operator.healthy);
  router.rpc(method.identity, operator.identity);
  router.service(Health, createHealthService(readiness));
  const reflection = createReflectionServices(readiness, options.loop);
  router.service(ServerReflection, reflection.v1);
  router.service(ServerReflectionAlpha, reflection.v1alpha);

  const executes = createPlaces({
    most: config.maxCalls,
    are: 'calls are being answered (--max-calls)',
    onFull: options.onFull,
  });
  const streams = createPlaces({ most: maxStreams, are: 'streams are open' });
  const handlers = router.handlers as readonly (RpcHandler & { readonly requestPath: string })[];
  return handlers.map((connects) => {
    const handler = convertBodyErrors<RpcHandler>(connects);
    const path = connects.requestPath;
    if (connects.method === method.execute)
      return {
        path,
        handler: receiveExecute(handler, { ...config, ...options }),
        places: executes,
      };
    const streaming = connects.method.methodKind !== 'unary';
    return { path, handler, places: streaming ? streams : options.promptPlaces };
  });
}
