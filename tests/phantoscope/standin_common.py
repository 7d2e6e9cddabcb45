"""What the stand-ins of both versions of Phantoscope's REST API share: HTTP, errors, SQLite, search."""
import argparse
import json
import re
import sqlite3
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


class ApiError(Exception):
    """A failure with Phantoscope's body `{"message", "error"}`."""

    def __init__(self, status, error, message):
        super().__init__(message)
        self.status = status
        self.body = {"message": message, "error": error}


def not_exist(what):
    return ApiError(404, "NotExistError", what + " not exist")


def required(body, *names):
    """Flask-RESTful's check of a request."""
    for name in names:
        if name not in body or body[name] is None:
            raise ApiError(400, "Bad Request", f"Missing required parameter {name}")
    return [body[name] for name in names]


class Store:
    """Documents and vectors in one SQLite file; names are unique within their kind."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.db = sqlite3.connect(path, check_same_thread=False)
        self.db.executescript(
            """create table if not exists documents (kind text, name text, body text, primary key (kind, name));
            create table if not exists vectors (id integer primary key, collection text, entity text, field text, vector blob);"""
        )

    def query(self, sql, *values):
        with self.lock, self.db:
            return self.db.execute(sql, values).fetchall()

    def insert(self, kind, name, body):
        """Raises sqlite3.IntegrityError for a name that is taken."""
        self.query("insert into documents values (?, ?, ?)", kind, name, json.dumps(body))

    def find(self, kind, name):
        rows = self.query("select body from documents where kind = ? and name = ?", kind, name)
        return json.loads(rows[0][0]) if rows else None

    def all(self, kind):
        return [json.loads(row[0]) for row in self.query("select body from documents where kind = ? order by rowid", kind)]

    def delete(self, kind, name):
        self.query("delete from documents where kind = ? and name = ?", kind, name)

    def add_vectors(self, collection, entity, field, vectors):
        """Ids as Milvus gives them: nanoseconds since 1970."""
        ids = []
        for vector in vectors:
            ids.append(time.time_ns() // 1000 * 1000 + len(ids))
            blob = struct.pack(f"{len(vector)}f", *vector)
            self.query("insert into vectors values (?, ?, ?, ?, ?)", ids[-1], collection, entity, field, blob)
        return ids

    def nearest(self, collection, vector, count):
        """Entities by L2 distance of their nearest vector."""
        best = {}
        for entity, blob in self.query("select entity, vector from vectors where collection = ?", collection):
            other = struct.unpack(f"{len(blob) // 4}f", blob)
            distance = sum((a - b) ** 2 for a, b in zip(vector, other))
            best[entity] = min(distance, best.get(entity, distance))
        return sorted(best, key=best.get)[:count]


def serve(routes):
    """Runs a server over `[(method, path with <names>, function(store, body, *names))]` until it is stopped."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", default="127.0.0.1:0")
    parser.add_argument("--database", default=":memory:")
    parser.add_argument("--image", action="append", default=[], help="v0.2: IMAGE=COMMAND, run with {host} and {port}")
    parser.add_argument("--instances-by-body", action="store_true", help="v0.2: as in builds after the release")
    args = parser.parse_args()
    table = [
        (method, re.compile("^" + re.sub(r"<\w+>", r"([^/]+)", path) + "$"), function)
        for method, path, function in (routes(args) if callable(routes) else routes)
    ]
    store = Store(args.database)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def reply(self, status, body, kind="application/json", **headers):
            body = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def json_body(self, text):
            """Only what is labelled as JSON is read, and then it has to be JSON: Flask, wherever a handler reads arguments."""
            if not (self.headers.get("Content-Type") or "").startswith("application/json"):
                return {}
            try:
                return json.loads(text)
            except ValueError:
                raise ApiError(400, "Bad Request", "Failed to decode JSON object")

        def page(self, status, title, **headers):
            self.reply(status, f"<!DOCTYPE HTML>\n<title>{status} {title}</title>\n<h1>{title}</h1>", "text/html", **headers)

        def handle_request(self):
            length = int(self.headers.get("Content-Length") or 0)
            text = self.rfile.read(length)
            path = self.path.split("?")[0]
            matches = [(m, f, p.match(path)) for m, p, f in table if p.match(path)]
            allow = ", ".join(sorted({m for m, _, _ in matches} | {"OPTIONS"}))
            if not matches and any(p.match(path + "/") for _, p, _ in table):
                return self.page(308, "Permanent Redirect", Location=path + "/")
            if not matches:
                return self.page(404, "Not Found")
            if self.command == "OPTIONS":
                return self.reply(200, "", "text/html", Allow=allow)
            chosen = next(((f, match) for m, f, match in matches if m == self.command), None)
            if not chosen:
                return self.page(405, "Method Not Allowed", Allow=allow)
            function, match = chosen
            try:
                body = self.json_body(text)
                answer = function(store, body, *[unquote(name) for name in match.groups()])
                # A bare word goes out as it is, labelled as JSON all the same.
                self.reply(200, answer if isinstance(answer, str) else json.dumps(answer))
            except ApiError as error:
                self.reply(error.status, json.dumps(error.body))
            except Exception as error:
                print(repr(error), file=sys.stderr, flush=True)
                self.page(500, "Internal Server Error")

        do_GET = do_POST = do_DELETE = do_OPTIONS = handle_request

    host, port = args.listen.rsplit(":", 1)
    server = ThreadingHTTPServer((host, int(port)), Handler)
    server.daemon_threads = True
    print(f"listening on http://{host}:{server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
