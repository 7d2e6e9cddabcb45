"""An encoder on grpcio, as the tutorial's is: for `check`, which must do with any operator."""
import time
from concurrent import futures

import grpc
from omnisearch_wire import LIMITS, TYPES


def execute(request, _):
    count = len(request.datas) or len(request.urls)
    vector = TYPES["Vector"](element=[0.5] * 512)
    return TYPES["ExecuteReply"](nums=count, vectors=[vector] * count)


def identity(_request, _context):
    return TYPES["IdentityReply"](
        name="vgg16", endpoint="10.0.0.1:50001", type="encoder", input="image", output="vector", dimension="512", metricType="L2"
    )


def healthy(_request, _context):
    return TYPES["HealthyReply"](healthy="healthy")


def handler(method, function):
    return grpc.unary_unary_rpc_method_handler(
        function,
        request_deserializer=TYPES[method + "Request"].FromString,
        response_serializer=TYPES[method + "Reply"].SerializeToString,
    )


server = grpc.server(futures.ThreadPoolExecutor(4), options=LIMITS)
methods = {"Execute": execute, "Healthy": healthy, "Identity": identity}
server.add_generic_rpc_handlers(
    [grpc.method_handlers_generic_handler("omnisearch.Operator", {m: handler(m, f) for m, f in methods.items()})]
)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(f"listening on 127.0.0.1:{port}", flush=True)
while True:
    time.sleep(3600)
