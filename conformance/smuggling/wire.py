"""HTTP/1.1 as the judge speaks it: raw bytes out, and answers read strictly."""

import json
import socket
import threading
import time

LIMIT_SECONDS = 5


class Connection:
    """A connection whose answers are read while bytes are sent, so that no refusal is lost."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = bytearray()
        self.ended = threading.Event()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.reader.join()
        self.socket.close()

    def _read(self):
        self.socket.settimeout(None)
        try:
            while piece := self.socket.recv(65536):
                self.received += piece
        except OSError:
            pass
        self.ended.set()

    def send(self, pieces):
        """Sends as much as the server takes."""
        try:
            for piece in pieces:
                self.socket.sendall(piece)
        except OSError:
            pass

    def ends_within(self, seconds):
        """Whether the server closes the connection in time."""
        return self.ended.wait(seconds)

    def answers(self, count, seconds=LIMIT_SECONDS):
        """The answers once there are `count`, or those that are there when the time is over."""
        deadline = time.monotonic() + seconds
        while len(found := answers(bytes(self.received))) < count and time.monotonic() < deadline:
            if self.ended.wait(0.002):
                return answers(bytes(self.received))
        return found


class Answer:
    """A response: its status, fields by lower-case name, content."""

    def __init__(self, status, fields, content):
        self.status, self.fields, self.content = status, fields, content

    def payload(self):
        """What Echo sent back, in Base64."""
        return json.loads(self.content).get("payload")


def answers(received):
    """The complete responses, in order; interim ones are left out."""
    found = []
    while b"\r\n\r\n" in received:
        head, _, rest = received.partition(b"\r\n\r\n")
        line, *lines = head.split(b"\r\n")
        version, status = line.split(b" ")[:2]
        if version != b"HTTP/1.1" or any(b":" not in field for field in lines):
            raise ValueError(f"not a response: {head[:200]!r}")
        fields = {name.strip().lower().decode(): value.strip().decode() for name, _, value in (f.partition(b":") for f in lines)}
        status = int(status)
        if status < 200:
            received = rest
            continue
        content, rest = content_of(fields, rest)
        if rest is None:
            break
        found.append(Answer(status, fields, content))
        received = rest
    return found


def content_of(fields, rest):
    """(the content, what is behind it); none behind it when it is not all there."""
    if fields.get("transfer-encoding") == "chunked":
        content = b""
        while b"\r\n" in rest:
            size, _, rest = rest.partition(b"\r\n")
            length = int(size, 16)
            if len(rest) < length + 2:
                return b"", None
            content, rest = content + rest[:length], rest[length + 2 :]
            if not length:
                return content, rest
        return b"", None
    length = int(fields.get("content-length", 0))
    return (rest[:length], rest[length:]) if len(rest) >= length else (b"", None)
