"""Unary calls over HTTP/2 by h2load, and bytes that it sends."""

import os
import re
import subprocess
import sys

from server import LOAD_CORE

CONNECTIONS, STREAMS = 10, 100


def payload(size):
    """A bench.v1.Payload of that many bytes."""
    length, varint = size, bytearray()
    while length >= 0x80:
        varint.append(length & 0x7F | 0x80)
        length >>= 7
    varint.append(length)
    return b"\x0a" + bytes(varint) + b"x" * size if size else b""


def envelope(message, flags=0):
    """A message behind the five-byte prefix of gRPC and gRPC-Web."""
    return bytes([flags]) + len(message).to_bytes(4, "big") + message


def load(server, path, fields, body_file, reply_length, requests):
    """One run: (calls, seconds). Ends the benchmark unless every reply has status 2xx and the expected length."""
    command = ["taskset", "-c", LOAD_CORE, "h2load", "-n", str(requests), "-c", str(CONNECTIONS), "-m", str(STREAMS),
               "-d", body_file]
    for field in fields:
        command += ["-H", field]
    command.append(f"http://{server.address}{path}")
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=300).stdout
    succeeded = int(re.search(r"status codes: (\d+) 2xx", output)[1])
    data = int(re.search(r"\((\d+)\) data", output)[1])
    if succeeded != requests or data != requests * reply_length:
        sys.exit(f"expected {requests} replies with status 2xx and {requests * reply_length} bytes of data, "
                 f"found {succeeded} and {data}\n{output}")
    return requests, requests / float(re.search(r"([\d.]+) req/s", output)[1])
