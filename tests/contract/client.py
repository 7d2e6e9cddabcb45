"""A stock grpcio client. Usage: client.py STUBS ADDRESS SCENARIO [ARGUMENTS]; prints what came of it as JSON."""
import json
import os
import signal
import sys
import time

stubs, address, scenario, *arguments = sys.argv[1:]
sys.path.insert(0, stubs)

import grpc  # noqa: E402
import operator_pb2 as pb  # noqa: E402
import operator_pb2_grpc as rpc  # noqa: E402

# Phantoscope raises both limits; a pool of its own makes every channel a connection.
OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.use_local_subchannel_pool", 1),
]


def channel(options=()):
    return grpc.insecure_channel(address, options=OPTIONS + list(options))


def outcome(call):
    begun = time.time()
    try:
        reply = call()
        return {"code": "OK", "reply": reply, "seconds": time.time() - begun}
    except grpc.RpcError as error:
        return {
            "code": error.code().name,
            "details": error.details(),
            "seconds": time.time() - begun,
        }


def read(path):
    with open(path) as file:
        return file.read()


def summary(reply):
    return {"nums": reply.nums, "lengths": [len(v.element) for v in reply.vectors]}


def healthy(stub):
    return stub.Healthy(pb.HealthyRequest()).healthy


def calls(picture):
    with channel() as c:
        stub = rpc.OperatorStub(c)
        identity = stub.Identity(pb.IdentityRequest())
        reply = stub.Execute(pb.ExecuteRequest(datas=[read(picture)]))
        return {
            "healthy": healthy(stub),
            "identity": {f.name: getattr(identity, f.name) for f in identity.DESCRIPTOR.fields},
            "execute": summary(reply),
            "first": list(reply.vectors[0].element)[:4],
            "metadata": len(reply.metadata),
        }


def large(picture):
    with channel() as c:
        request = pb.ExecuteRequest(datas=[read(picture)])
        stub = rpc.OperatorStub(c)
        return {"bytes": request.ByteSize(), **outcome(lambda: summary(stub.Execute(request)))}


def channels(count):
    answers = set()
    for _ in range(int(count)):
        with channel() as c:
            answers.add(healthy(rpc.OperatorStub(c)))
    return {"answers": sorted(answers)}


def refusals(picture):
    """What must be refused, and a call after each that shows the operator alive."""
    one = read(picture)
    results = {}
    with channel() as c:
        stub = rpc.OperatorStub(c)
        raw = c.unary_unary("/omnisearch.Operator/Execute")
        unknown = c.unary_unary("/omnisearch.Operator/Nothing")
        cases = {
            "malformed": lambda: raw(b"\xff\xff\xff"),
            "truncated": lambda: raw(b"\x12\x20abc"),
            "too large": lambda: raw(b"\x12" + b"a" * (101 * 1024 * 1024)),
            "thousand": lambda: stub.Execute(pb.ExecuteRequest(datas=[one] * 1000)),
            "unknown": lambda: unknown(b""),
            "empty item": lambda: stub.Execute(pb.ExecuteRequest(datas=[one, ""])),
            "no base64": lambda: stub.Execute(pb.ExecuteRequest(datas=["*** no base64 ***"])),
            "no image": lambda: stub.Execute(pb.ExecuteRequest(datas=["aGVsbG8gd29ybGQ="])),
        }
        for name, call in cases.items():
            result = outcome(call)
            result.pop("reply", None)
            results[name] = {**result, "healthy": healthy(stub)}
    return results


def corners(picture):
    one = read(picture)
    with channel() as c:
        stub = rpc.OperatorStub(c)
        urls = ["http://192.0.2.1/never-fetched.jpg", ""]
        return {
            "empty": summary(stub.Execute(pb.ExecuteRequest())),
            "both": summary(stub.Execute(pb.ExecuteRequest(urls=urls, datas=[one, one]))),
            "thirty": summary(stub.Execute(pb.ExecuteRequest(datas=[one] * 30)))["nums"],
        }


def patience(picture):
    request = pb.ExecuteRequest(datas=[read(picture)] * 100)
    with channel() as c:
        stub = rpc.OperatorStub(c)
        late = outcome(lambda: stub.Execute(request, timeout=0.2))
        call = stub.Execute.future(request, metadata=[("x-request-id", "python-cancel")])
        time.sleep(0.2)
        call.cancel()
        return {
            "late": late["code"],
            "seconds": late["seconds"],
            "cancelled": call.cancelled(),
            "healthy": healthy(stub),
        }


def gzip(picture):
    request = pb.ExecuteRequest(datas=[read(picture)] * 4)
    with channel() as c:
        stub = rpc.OperatorStub(c)
        reply, call = stub.Execute.with_call(request, compression=grpc.Compression.Gzip)
        plain, plain_call = stub.Execute.with_call(request)
        return {"packed": summary(reply)["nums"], "plain": summary(plain)["nums"]}


def pings(picture):
    request = pb.ExecuteRequest(datas=[read(picture)] * 20)
    keepalive = [
        ("grpc.keepalive_time_ms", 100),
        ("grpc.keepalive_timeout_ms", 1000),
        ("grpc.http2.max_pings_without_data", 0),
    ]
    with channel(keepalive) as c:
        return outcome(lambda: rpc.OperatorStub(c).Execute(request).nums)


def health(*_):
    import health_pb2 as hpb
    import health_pb2_grpc as hrpc

    with channel() as c:
        stub = hrpc.HealthStub(c)
        status = hpb.HealthCheckResponse.ServingStatus.Name
        watch = stub.Watch(hpb.HealthCheckRequest())
        first = status(next(watch).status)
        watch.cancel()
        return {
            "server": status(stub.Check(hpb.HealthCheckRequest()).status),
            "service": status(
                stub.Check(hpb.HealthCheckRequest(service="omnisearch.Operator")).status
            ),
            "other": outcome(lambda: stub.Check(hpb.HealthCheckRequest(service="x")))["code"],
            "watch": first,
        }


def reflection(version):
    """Learns the service from the server alone, then calls it with messages made from what it learnt."""
    import importlib

    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    rpb = importlib.import_module(f"{version}_reflection_pb2")
    with channel() as c:
        ask = c.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=rpb.ServerReflectionResponse.FromString,
        )
        questions = [
            rpb.ServerReflectionRequest(list_services=""),
            rpb.ServerReflectionRequest(file_containing_symbol="omnisearch.Operator"),
        ]
        names, files = list(ask(iter(questions)))
        pool = descriptor_pool.DescriptorPool()
        for text in files.file_descriptor_response.file_descriptor_proto:
            pool.Add(descriptor_pb2.FileDescriptorProto.FromString(text))
        method = pool.FindServiceByName("omnisearch.Operator").FindMethodByName("Identity")
        factory = message_factory.MessageFactory(pool)
        call = c.unary_unary(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=factory.GetPrototype(method.output_type).FromString,
        )
        reply = call(factory.GetPrototype(method.input_type)())
        return {
            "services": [s.name for s in names.list_services_response.service],
            "metricType": reply.metricType,
        }


def drain(picture, pid):
    """SIGTERM during a call: it is answered, others are not."""
    request = pb.ExecuteRequest(datas=[read(picture)] * 30)
    with channel() as c:
        stub = rpc.OperatorStub(c)
        healthy(stub)
        running = stub.Execute.future(request)
        time.sleep(0.3)
        os.kill(int(pid), signal.SIGTERM)
        time.sleep(0.2)
        same = outcome(lambda: healthy(stub))
        with channel() as other:
            new = outcome(lambda: healthy(rpc.OperatorStub(other)))
        return {"same": same["code"], "new": new["code"], "running": running.result().nums}


print(json.dumps(globals()[scenario](*arguments)))
