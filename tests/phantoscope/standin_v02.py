"""A stand-in of Phantoscope v0.2's API server: images are registered and started as instances.

A "container" is a process on a loopback address of its own; `--image NAME=COMMAND` says what an image runs.
"""
import atexit
import shlex
import signal
import socket
import subprocess
import sys
import time
import uuid

import omnisearch_wire as wire
from standin_common import ApiError, not_exist, required, serve

images = {}
containers = {}


class Container:
    def __init__(self, name, command):
        self.id = uuid.uuid4().hex[:10]
        self.name = name
        self.command = command
        self.ip = f"127.0.1.{len(containers) % 250 + 2}"
        with socket.socket() as free:
            free.bind((self.ip, 0))
            self.port = free.getsockname()[1]
        self.process = None
        self.start()

    def start(self):
        if self.process and self.process.poll() is None:
            return
        self.started = time.time()
        command = [part.format(host=self.ip, port=self.port) for part in shlex.split(self.command)]
        # No environment of its own, as the API server starts it; PATH is what an image brings along.
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)

    @property
    def status(self):
        if self.process.poll() is not None:
            return "exited"
        return "created" if time.time() - self.started < 0.3 else "running"

    def json(self):
        return {
            "id": self.id,
            "name": self.name,
            "status": self.status,
            "ip": self.ip,
            "ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": str(self.port)}]},
            "endpoint": f"{self.ip}:{self.port}",
        }


def stop_all(*_):
    for container in containers.values():
        container.stop()


def docker_error(message):
    return ApiError(400, "DockerRuntimeError", message)


def operator(store, name):
    record = store.find("operator", name)
    if not record:
        raise not_exist(f"operator {name}")
    return record


def register(store, body):
    names = ("name", "addr", "author", "type", "description", "version")
    record = dict(zip(names, required(body, *names)))
    if store.find("operator", record["name"]):
        raise ApiError(400, "ExistError", f"operator {record['name']} had exist")
    record.update(runtime_client="docker", metadata={"created_time": time.strftime("%Y-%m-%d %H:%M:%S")})
    store.insert("operator", record["name"], record)
    return record


def delete(store, _, name):
    record = operator(store, name)
    # The containers are left as they are.
    store.delete("operator", name)
    return record


def list_instances(store, _, name):
    operator(store, name)
    return [c.json() for c in containers.values() if f"phantoscope_{name}" in c.name]


def new_instance(store, _, name, instance):
    record = operator(store, name)
    full = f"phantoscope_{name}_{instance}"
    if full in containers:
        raise docker_error(f'Conflict. The container name "/{full}" is already in use')
    if record["addr"] not in images:
        raise docker_error(f"pull access denied for {record['addr']}, repository does not exist")
    containers[full] = Container(full, images[record["addr"]])
    return containers[full].json()


def new_instance_by_body(store, body, name):
    return new_instance(store, body, name, *required(body, "instanceName"))


def container(store, name, instance):
    operator(store, name)
    full = f"phantoscope_{name}_{instance}"
    if full not in containers:
        raise docker_error(f"No such container: {full}")
    return containers[full]


def delete_instance(store, _, name, instance):
    gone = container(store, name, instance)
    gone.stop()
    del containers[gone.name]
    return {**gone.json(), "status": "deleted"}


def start_instance(store, _, name, instance):
    found = container(store, name, instance)
    found.start()
    return found.json()


def stop_instance(store, _, name, instance):
    found = container(store, name, instance)
    found.stop()
    return found.json()


def restart_instance(store, _, name, instance):
    stop_instance(store, _, name, instance)
    return start_instance(store, _, name, instance)


def new_pipeline(store, body, name):
    description, processors, encoder = required(body, "description", "processors", "encoder")
    steps = []
    for part in (processors or []) + [encoder]:
        steps.append(
            {"operator": operator(store, part["name"]), "instance": container(store, part["name"], part["instance"]).json()}
        )
    said = [wire.identity(step["instance"]["endpoint"]) for step in steps]
    if said[-1]["type"] != "encoder" or any(s["type"] != "processor" for s in said[:-1]):
        raise ApiError(400, "PipelineIllegalError", "Pipeline illegal check error")
    record = {
        "name": name,
        "input": said[0]["input"],
        "output": said[-1]["output"],
        "description": description,
        "processors": steps[:-1],
        "encoder": steps[-1],
    }
    store.insert("pipeline", name, record)
    return record


def new_application(store, body, name):
    fields, buckets = required(body, "fields", "s3Buckets")
    for field in fields.values():
        if field["type"] == "pipeline" and not store.find("pipeline", field["value"]):
            raise not_exist(f"pipeline {field['value']}")
    record = {"name": name, "fields": fields, "bucket": buckets}
    store.insert("application", name, record)
    return record


def vectors_of(store, pipeline_name, value):
    pipeline = store.find("pipeline", pipeline_name)
    # The addresses are those of the day on which the pipeline was made.
    endpoints = [step["instance"]["endpoint"] for step in pipeline["processors"] + [pipeline["encoder"]]]
    try:
        vectors = wire.run_chain(endpoints, value.get("url"), value.get("data"))
    except Exception:
        raise ApiError(503, "RPCExecError", "Execute with error")
    if not vectors:
        raise ApiError(400, "NoneVectorError", "can't encode data by encoder, check input or encoder")
    return vectors


def application(store, name):
    record = store.find("application", name)
    if not record:
        raise not_exist(f"application {name}")
    return record


def upload(store, body, name):
    (values,) = required(body, "fields")
    app = application(store, name)
    entity = uuid.uuid4().hex[:24]
    docs = {}
    for field, rule in app["fields"].items():
        vectors = vectors_of(store, rule["value"], values[field])
        ids = store.add_vectors(f"{name}_{field}", entity, field, vectors)
        docs[field] = {"ids": ids, "url": f"http://127.0.0.1:9000/{app['bucket']}/{name}-{uuid.uuid4().hex}"}
    store.insert("entity", entity, {"_id": entity, "_docs": docs})
    return [{"_id": entity, "_docs": docs}]


def search(store, body, name):
    values, topk = required(body, "fields", "topk")
    answer = []
    for field, rule in application(store, name)["fields"].items():
        vectors = vectors_of(store, rule["value"], values[field])
        answer += [store.find("entity", id) for id in store.nearest(f"{name}_{field}", vectors[0], topk)]
    return answer


def routes(args):
    for image in args.image:
        name, command = image.split("=", 1)
        images[name] = command
    instance = "/v1/operator/<name>/instances/<instance>"
    create = (
        ("POST", "/v1/operator/<name>/instances", new_instance_by_body)
        if args.instances_by_body
        else ("POST", instance, new_instance)
    )
    return [
        ("GET", "/v1/operator/", lambda store, _: store.all("operator")),
        ("POST", "/v1/operator/register", register),
        ("GET", "/v1/operator/<name>", lambda store, _, name: operator(store, name)),
        ("DELETE", "/v1/operator/<name>", delete),
        ("GET", "/v1/operator/<name>/instances", list_instances),
        create,
        ("DELETE", instance, delete_instance),
        ("POST", instance + "/start", start_instance),
        ("POST", instance + "/stop", stop_instance),
        ("POST", instance + "/restart", restart_instance),
        ("POST", "/v1/pipeline/<name>", new_pipeline),
        ("POST", "/v1/application/<name>", new_application),
        ("POST", "/v1/application/<name>/upload", upload),
        ("POST", "/v1/application/<name>/search", search),
    ]


atexit.register(stop_all)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
serve(routes)
