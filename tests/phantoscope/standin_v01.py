"""A stand-in of Phantoscope v0.1's API server: operators are registered by endpoint and asked who they are."""
import json
import sqlite3
import uuid

import omnisearch_wire as wire
from standin_common import ApiError, not_exist, required, serve


def prefixed(record):
    return {"_" + name: value for name, value in record.items()}


def operator(store, name):
    record = store.find("operator", name)
    if not record:
        raise not_exist(f"operator {name}")
    return record


def list_operators(store, _):
    return [prefixed(record) for record in store.all("operator")]


def regist(store, body):
    endpoint, name = required(body, "endpoint", "name")
    try:
        # What the operator says counts, its endpoint included.
        said = wire.identity(endpoint)
        record = {
            "name": name,
            "backend": said["name"],
            "type": said["type"],
            "input": said["input"],
            "output": said["output"],
            "endpoint": said["endpoint"],
            "metric_type": said["metric_type"],
            "dimension": int(said["dimension"]),
        }
        store.insert("operator", name, record)
        return prefixed(record)
    except Exception:
        raise ApiError(503, "OperatorRegistError", f"operator {name} regist error")


def detail(store, _, name):
    return prefixed(operator(store, name))


def delete(store, _, name):
    record = operator(store, name)
    store.delete("operator", name)
    return prefixed(record)


def health(store, _, name):
    return wire.healthy(operator(store, name)["endpoint"])


def new_pipeline(store, body, name):
    input, description, processors, encoder, size = required(
        body, "input", "description", "processors", "encoder", "indexFileSize"
    )
    names = [part for part in processors.split(",") if part] + [encoder]
    chain = [store.find("operator", part) for part in names]
    if None in chain or chain[-1]["type"] != "encoder" or any(o["type"] != "processor" for o in chain[:-1]):
        raise ApiError(400, "PipelineIlegalError", "Pipeline ilegal check error")
    record = {
        "pipeline_name": name,
        "input": input,
        "output": "vector",
        "dimension": chain[-1]["dimension"],
        "index_file_size": size,
        "metric_type": chain[-1]["metric_type"],
        "pipeline_description": description,
        "processors": names[:-1],
        "encoder": encoder,
    }
    try:
        store.insert("pipeline", name, record)
    except sqlite3.IntegrityError:
        raise ApiError(503, "Insert2SQLError", "Insert pipeline to sql error")
    return prefixed(record)


def new_application(store, body, name):
    fields, buckets = required(body, "fields", "s3Buckets")
    for field in fields.values():
        if not store.find("pipeline", field["pipeline"]):
            raise not_exist(f"pipeline {field['pipeline']}")
    record = {"application_name": name, "fields": fields, "buckets": buckets}
    store.insert("application", name, record)
    return prefixed(record)


def vectors_of(store, pipeline_name, value):
    pipeline = store.find("pipeline", pipeline_name)
    # The operators are looked up at every call: a name that is registered again works at once.
    endpoints = [operator(store, name)["endpoint"] for name in pipeline["processors"] + [pipeline["encoder"]]]
    try:
        vectors = wire.run_chain(endpoints, value.get("url"), value.get("data"))
    except Exception:
        raise ApiError(503, "RPCExecError", "Execute with error")
    if not vectors:
        raise ApiError(400, "NoneVectorError", "can't encode data by encoder, check input or encoder")
    return f"{pipeline_name}_{pipeline['encoder']}", vectors


def upload(store, body, name):
    (values,) = required(body, "fields")
    application = store.find("application", name)
    if not application:
        raise not_exist(f"application {name}")
    answer = []
    for field, rule in application["fields"].items():
        collection, vectors = vectors_of(store, rule["pipeline"], values[field])
        url = f"http://127.0.0.1:9000/{application['buckets']}/{name}-{uuid.uuid4().hex}"
        for vector in vectors:
            entity = {"app_name": name, "image_url": url, "fields": application["fields"]}
            id = store.add_vectors(collection, url, field, [vector])[0]
            store.query("insert or replace into documents values ('entity', ?, ?)", url, json.dumps({"id": id, **entity}))
            answer.append(prefixed({"id": id, **entity}))
    return answer


def search(store, body, name):
    values, topk = required(body, "fields", "topk")
    application = store.find("application", name)
    if not application:
        raise not_exist(f"application {name}")
    answer = []
    for field, rule in application["fields"].items():
        collection, vectors = vectors_of(store, rule["pipeline"], values[field])
        for url in store.nearest(collection, vectors[0], topk):
            answer.append(prefixed(store.find("entity", url)))
    return answer


serve(
    [
        ("GET", "/v1/operator/", list_operators),
        ("POST", "/v1/operator/regist", regist),
        ("GET", "/v1/operator/<name>", detail),
        ("DELETE", "/v1/operator/<name>", delete),
        ("GET", "/v1/operator/<name>/health", health),
        ("POST", "/v1/pipeline/<name>", new_pipeline),
        ("POST", "/v1/application/<name>", new_application),
        ("POST", "/v1/application/<name>/upload", upload),
        ("POST", "/v1/application/<name>/search", search),
    ]
)
