/** The standard health service; `''` stands for the server as a whole. */
import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect';
import {
  type Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../gen/grpc/health/v1/health_pb.ts';
import { Operator } from '../../gen/omnisearch/operator_pb.ts';
import type { Readiness, ServingState } from '../readiness.ts';

const services = ['', Operator.typeName];

const statusOf = (state: ServingState): ServingStatus =>
  state === 'ready' ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;

export function createHealthService(readiness: Readiness): ServiceImpl<typeof Health> {
  return {
    check({ service }) {
      if (!services.includes(service))
        throw new ConnectError(`there is no service "${service}" here`, Code.NotFound);
      return { status: statusOf(readiness.state) };
    },

    async *watch({ service }, { signal }) {
      if (!services.includes(service)) {
        yield { status: ServingStatus.SERVICE_UNKNOWN };
        // The protocol wants the stream kept open: the service might appear. Here it never does.
        for await (const _ of readiness.changes(signal));
        signal.throwIfAborted();
        return;
      }
      let last: ServingStatus | undefined;
      for await (const state of readiness.changes(signal)) {
        const status = statusOf(state);
        if (status !== last) yield { status };
        last = status;
      }
      signal.throwIfAborted();
    },
  };
}
