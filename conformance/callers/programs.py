"""Callers that are programs of the command line: grpcurl, buf curl and curl."""

import json
import os
import subprocess

from expected import CODE_NAME, CONNECT_CODE, DOWNLOAD, ECHO, FAIL, MESSAGE, REPLIES, SERVICE, same
from process import WORK

SECONDS = 20
PROTO = "proto"  # from conformance/, where the judge runs
CALLS = "conformance/v1/calls.proto"


def run(command, data=None):
    """Returns (the exit code, standard output, standard error), the latter two as bytes."""
    done = subprocess.run(
        [str(part) for part in command],
        input=data if data is not None else b"",
        capture_output=True,
        timeout=SECONDS,
        env=os.environ | {"HOME": str(WORK / "home")},
    )
    return done.returncode, done.stdout, done.stderr


def well(command, data=None):
    """Standard output of a program that has to exit with 0."""
    code, out, error = run(command, data)
    if code:
        raise AssertionError(f"exit code {code}: {(error or out).decode(errors='replace')[-500:]}")
    return out


def documents(text):
    """The JSON documents that stand one after the other in `text`."""
    decoder, rest, found = json.JSONDecoder(), text.decode().strip(), []
    while rest:
        document, end = decoder.raw_decode(rest)
        found.append(document)
        rest = rest[end:].strip()
    return found


def grpcurl(server, flags):
    """Echo, Download and Fail by grpcurl."""

    def call(method, request):
        *options, address = flags
        return [f"{WORK}/bin/grpcurl", *options, "-d", json.dumps(request), address, f"{SERVICE}/{method}"]

    same("Echo", documents(well(call("Echo", ECHO))), [ECHO])
    same("Download", documents(well(call("Download", DOWNLOAD))), REPLIES)
    code, _, error = run(call("Fail", FAIL))
    same("Fail", (code != 0, CODE_NAME in error.decode(), MESSAGE in error.decode()), (True, True, True))


def grpcurl_by_reflection(server):
    address = f"127.0.0.1:{server.port}"
    grpcurl(server, ["-plaintext", address])
    listed = well([f"{WORK}/bin/grpcurl", "-plaintext", address, "list"]).decode().split()
    same("list", SERVICE in listed, True)


def grpcurl_by_proto(server):
    grpcurl(server, ["-plaintext", "-import-path", PROTO, "-proto", CALLS, f"127.0.0.1:{server.port}"])


def grpcurl_by_tls(server):
    grpcurl(server, ["-cacert", server.certificate, f"127.0.0.1:{server.tls_port}"])


def buf_curl(server, protocol, by_reflection, http2):
    """Echo, Download and Fail by buf curl."""
    flags = ["--protocol", protocol, *([] if by_reflection else ["--schema", PROTO])]
    flags += ["--http2-prior-knowledge"] if http2 else []

    def call(method, request):
        url = f"http://127.0.0.1:{server.port}/{SERVICE}/{method}"
        return [WORK / "node/node_modules/.bin/buf", "curl", *flags, "--data", json.dumps(request), url]

    same("Echo", documents(well(call("Echo", ECHO))), [ECHO])
    same("Download", documents(well(call("Download", DOWNLOAD))), REPLIES)
    code, _, error = run(call("Fail", FAIL))
    failure = json.loads(error)
    same("Fail", (code != 0, failure["code"], failure["message"]), (True, CONNECT_CODE, MESSAGE))


def envelope(flags, message):
    """A message as Connect's streams have it."""
    return bytes([flags]) + len(message).to_bytes(4, "big") + message


def envelopes(stream):
    """The (flags, message) pairs of a stream."""
    found = []
    while stream:
        length = int.from_bytes(stream[1:5], "big")
        found.append((stream[0], stream[5 : 5 + length]))
        stream = stream[5 + length :]
    return found


def curl(server, flags, base):
    """Echo by POST and GET, Download and Fail with JSON, as anybody would by hand."""
    written = "\n%{http_code} %{http_version} %{content_type}"

    def call(method, data, *more, kind="application/json"):
        body = ["--data-binary", "@-", "--header", f"content-type: {kind}"] if data is not None else []
        url = f"{base}/{SERVICE}/{method}"
        out = well(["curl", "--silent", "--show-error", *flags, *body, *more, "--write-out", written, url], data)
        body, _, end = out.rpartition(b"\n")
        status, version, kind = end.decode().split(" ", 2)
        same("HTTP version", version, "2" if any("http2" in flag for flag in flags) else "1.1")
        return int(status), kind, body

    status, kind, body = call("Echo", json.dumps(ECHO).encode())
    same("Echo", (status, kind, json.loads(body)), (200, "application/json", ECHO))
    query = {"connect": "v1", "encoding": "json", "message": json.dumps(ECHO)}
    encoded = [part for item in query.items() for part in ("--data-urlencode", "=".join(item))]
    status, kind, body = call("Echo", None, "--get", *encoded)
    same("Echo by GET", (status, kind, json.loads(body)), (200, "application/json", ECHO))

    kind = "application/connect+json"
    status, got, body = call("Download", envelope(0, json.dumps(DOWNLOAD).encode()), kind=kind)
    *replies, (flags_of_end, end) = envelopes(body)
    same("Download", (status, got, flags_of_end, "error" in json.loads(end)), (200, kind, 2, False))
    same("Download", [(mark, json.loads(reply)) for mark, reply in replies], [(0, reply) for reply in REPLIES])

    status, kind, body = call("Fail", json.dumps(FAIL).encode())
    failure = json.loads(body)
    same("Fail", (status, kind, failure["code"], failure["message"]), (404, "application/json", CONNECT_CODE, MESSAGE))


def callers():
    """(name, what to run with the server) of all programs."""
    yield "grpcurl, by reflection", grpcurl_by_reflection
    yield "grpcurl, by .proto", grpcurl_by_proto
    yield "grpcurl, TLS", grpcurl_by_tls
    for protocol, http2 in (("connect", False), ("connect", True), ("grpc", True), ("grpcweb", False), ("grpcweb", True)):
        version = "HTTP/2" if http2 else "HTTP/1.1"
        for by_reflection in (False, True):
            if by_reflection and not http2:
                continue  # reflection is a bidirectional stream
            how = "reflection" if by_reflection else ".proto"
            yield (
                f"buf curl, {protocol}, {version}, by {how}",
                lambda server, p=protocol, r=by_reflection, h=http2: buf_curl(server, p, r, h),
            )
    yield "curl, HTTP/1.1", lambda server: curl(server, ["--http1.1"], f"http://127.0.0.1:{server.port}")
    yield "curl, HTTP/2", lambda server: curl(
        server, ["--http2-prior-knowledge"], f"http://127.0.0.1:{server.port}"
    )
    for version in ("--http1.1", "--http2"):
        yield f"curl, TLS, {version[2:]}", lambda server, v=version: curl(
            server, [v, "--cacert", str(server.certificate)], f"https://127.0.0.1:{server.tls_port}"
        )
