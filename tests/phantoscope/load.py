"""Callers as Phantoscope is one: grpcio, a new channel for each call. Until its input ends; then it says how it went.

load.py HOST:PORT CALLERS PICTURE DIMENSION
"""
import base64
import json
import sys
import threading

import omnisearch_wire as wire

endpoint, callers, path, dimension = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
with open(path, "rb") as file:
    picture = base64.b64encode(file.read()).decode()
over = threading.Event()
result = {"done": 0, "retried": [], "failed": []}
lock = threading.Lock()


def call():
    vectors, _ = wire.execute(endpoint, [], [picture])
    if len(vectors) != 1 or len(vectors[0]) != dimension:
        raise ValueError(f"not one vector of {dimension}")


def note(name, error):
    with lock:
        result[name].append(getattr(error, "details", lambda: str(error))())


def caller():
    while not over.is_set():
        try:
            try:
                call()
            except Exception as error:
                note("retried", error)
                call()
            with lock:
                result["done"] += 1
        except Exception as error:
            note("failed", error)


threads = [threading.Thread(target=caller) for _ in range(callers)]
for thread in threads:
    thread.start()
print(f"listening on {endpoint}", flush=True)
sys.stdin.read()
over.set()
for thread in threads:
    thread.join()
print(json.dumps(result), flush=True)
