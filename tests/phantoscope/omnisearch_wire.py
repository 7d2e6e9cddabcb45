"""The operator's service for grpcio, its messages built by hand: a copy of the contract independent of proto/.

Calls as Phantoscope's client does: a new plaintext channel for each, no deadline, 100 MiB either way.
"""
import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

FIELD = descriptor_pb2.FieldDescriptorProto
LIMITS = [
    ("grpc.max_receive_message_length", 100 * 1024 * 1024),
    ("grpc.max_send_message_length", 100 * 1024 * 1024),
]
MESSAGES = {
    "ExecuteRequest": [("urls", "string*"), ("datas", "string*")],
    "Vector": [("element", "float*")],
    "MetaData": [("url", "string"), ("data", "bytes")],
    "ExecuteReply": [("nums", "int64"), ("vectors", "Vector*"), ("metadata", "MetaData*")],
    "HealthyRequest": [],
    "HealthyReply": [("healthy", "string")],
    "IdentityRequest": [],
    "IdentityReply": [
        (name, "string")
        for name in ("name", "endpoint", "type", "input", "output", "dimension", "metricType")
    ],
}
SCALARS = {
    "string": FIELD.TYPE_STRING,
    "bytes": FIELD.TYPE_BYTES,
    "float": FIELD.TYPE_FLOAT,
    "int64": FIELD.TYPE_INT64,
}


def _build():
    file = descriptor_pb2.FileDescriptorProto(
        name="contract.proto", package="omnisearch", syntax="proto3"
    )
    for message_name, fields in MESSAGES.items():
        message = file.message_type.add(name=message_name)
        for number, (name, kind) in enumerate(fields, 1):
            repeated = kind.endswith("*")
            kind = kind.rstrip("*")
            field = message.field.add(name=name, number=number)
            field.label = FIELD.LABEL_REPEATED if repeated else FIELD.LABEL_OPTIONAL
            if kind in SCALARS:
                field.type = SCALARS[kind]
            else:
                field.type = FIELD.TYPE_MESSAGE
                field.type_name = ".omnisearch." + kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    make = getattr(message_factory, "GetMessageClass", None)
    if make is None:
        make = message_factory.MessageFactory(pool).GetPrototype
    return {
        name: make(pool.FindMessageTypeByName("omnisearch." + name)) for name in MESSAGES
    }


TYPES = _build()


def _call(endpoint, method, **fields):
    with grpc.insecure_channel(endpoint, options=LIMITS) as channel:
        rpc = channel.unary_unary(
            "/omnisearch.Operator/" + method,
            request_serializer=TYPES[method + "Request"].SerializeToString,
            response_deserializer=TYPES[method + "Reply"].FromString,
        )
        return rpc(TYPES[method + "Request"](**fields))


def identity(endpoint):
    reply = _call(endpoint, "Identity")
    return {
        "name": reply.name,
        "endpoint": reply.endpoint,
        "type": reply.type,
        "input": reply.input,
        "output": reply.output,
        "dimension": reply.dimension,
        "metric_type": reply.metricType,
    }


def healthy(endpoint):
    return _call(endpoint, "Healthy").healthy


def execute(endpoint, urls, datas):
    """Vectors and metadata of the reply."""
    reply = _call(endpoint, "Execute", urls=urls, datas=datas)
    return [list(vector.element) for vector in reply.vectors], reply.metadata


def run_chain(endpoints, url, data):
    """A pipeline: each processor's crops go to the next operator, the last one's vectors are the result."""
    urls = [url] if url else []
    datas = [data] if data else []
    for endpoint in endpoints[:-1]:
        _, crops = execute(endpoint, urls, datas)
        urls = [crop.url for crop in crops]
        datas = [crop.data for crop in crops]
    vectors, _ = execute(endpoints[-1], urls, datas)
    return vectors
