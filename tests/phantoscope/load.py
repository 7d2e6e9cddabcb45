"""Callers as Phantoscope is one: grpcio, a new channel for each call. Until its input ends; then it says how it went.

load.py HOST:PORT CALLERS PICTURE
"""
import base64
import json
import sys
import threading

import omnisearch_wire as wire

endpoint, callers, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
with open(path, "rb") as file:
    picture = base64.b64encode(file.read()).decode()
over = threading.Event()
result = {"done": 0, "retried": [], "failed": []}
lock = threading.Lock()


def call():
    vectors, _ = wire.execute(endpoint, [], [picture])
    if len(vectors) != 1 or len(vectors[0]) != 2048:
        raise ValueError("not one vector of 2048")


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
