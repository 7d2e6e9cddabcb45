"""The tutorial's own verification, over a folder of photos: Identity, Healthy, then Execute on a new channel for each.

Arguments: folder of generated stubs, address, one photo a further argument. Prints JSON.
"""
import base64
import json
import sys
from concurrent.futures import ThreadPoolExecutor

stubs, address, *photos = sys.argv[1:]
sys.path.insert(0, stubs)
import grpc  # noqa: E402
import operator_pb2  # noqa: E402
import operator_pb2_grpc  # noqa: E402

LIMITS = [
    ("grpc.max_send_message_length", 100 * 1024 * 1024),
    ("grpc.max_receive_message_length", 100 * 1024 * 1024),
]


def call(use):
    with grpc.insecure_channel(address, options=LIMITS) as channel:
        return use(operator_pb2_grpc.OperatorStub(channel))


def embed(path):
    with open(path, "rb") as file:
        data = base64.b64encode(file.read()).decode()
    reply = call(lambda stub: stub.Execute(operator_pb2.ExecuteRequest(datas=[data])))
    return {"nums": reply.nums, "metadata": len(reply.metadata), "vectors": [list(v.element) for v in reply.vectors]}


identity = call(lambda stub: stub.Identity(operator_pb2.IdentityRequest()))
healthy = call(lambda stub: stub.Healthy(operator_pb2.HealthyRequest()))
with ThreadPoolExecutor(4) as pool:
    replies = list(pool.map(embed, photos))
print(
    json.dumps(
        {
            "identity": {field.name: value for field, value in identity.ListFields()},
            "healthy": healthy.healthy,
            "replies": replies,
        }
    )
)
