"""HTTP/2 by hand: a client that may say anything, at any speed, and keeps what the server said."""

import socket
import struct
import threading
import time

import hpack

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20
INITIAL_WINDOW_SIZE = 4
REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM = 7, 8, 11
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags=0, stream=0, payload=b""):
    """One frame (RFC 9113, section 4.1)."""
    return struct.pack(">IBBI", len(payload) << 8 | kind, flags, 0, 0)[:5] + struct.pack(">I", stream) + payload


def settings(*entries):
    """A SETTINGS frame of (identifier, value) pairs."""
    return frame(SETTINGS, payload=b"".join(struct.pack(">HI", *entry) for entry in entries))


def reset(stream):
    return frame(RST_STREAM, stream=stream, payload=struct.pack(">I", CANCEL))


def integer(value, prefix_bits, first=0):
    """An HPACK integer (RFC 7541, section 5.1) behind the bits that `first` sets."""
    limit = (1 << prefix_bits) - 1
    if value < limit:
        return bytes([first | value])
    out, value = [first | limit], value - limit
    while value >= 128:
        out.append(value % 128 | 128)
        value //= 128
    return bytes(out + [value])


def literal(name, value, indexed=False):
    """A field without Huffman coding; `indexed` puts it into the server's dynamic table, where 62 is the newest."""
    first = b"\x40" if indexed else b"\x00"
    return first + b"".join(integer(len(text), 7) + text.encode() for text in (name, value))


def reference(index):
    """A field of the static or dynamic table: one byte up to index 126."""
    return integer(index, 7, 0x80)


def request(path, *fields):
    """The header block of a gRPC request. `fields` are blocks that follow the usual ones."""
    start = reference(3) + reference(6)  # :method POST, :scheme http
    usual = [(":path", path), (":authority", "localhost"), ("content-type", "application/grpc"), ("te", "trailers")]
    return start + b"".join(literal(*field) for field in usual) + b"".join(fields)


def header_frames(stream, block, flags=0, size=16384):
    """A block as HEADERS and as many CONTINUATION frames of `size` bytes as it takes."""
    pieces = [block[at : at + size] for at in range(0, len(block), size)]
    last = len(pieces) - 1
    return b"".join(
        frame(CONTINUATION if n else HEADERS, (0 if n else flags) | (END_HEADERS if n == last else 0), stream, piece)
        for n, piece in enumerate(pieces)
    )


def envelope(message, compressed=False):
    """A gRPC message with its five bytes in front."""
    return struct.pack(">BI", compressed, len(message)) + message


class Connection:
    """A connection after the exchange of SETTINGS. Unless `reads` is false, a thread reads what the server says."""

    def __init__(self, port, *entries, reads=True):
        self.statuses = {}  # stream -> grpc-status
        self.bodies = {}  # stream -> DATA
        self.resets = {}  # stream -> error code
        self.goaway = None  # (error code, debug data)
        self.closed = False
        self.ping_acks = self.settings_acks = 0
        self.next_stream = 1
        self._decoder = hpack.Decoder(max_header_list_size=1 << 20)
        self._changed = threading.Condition()
        self._buffer = b""
        self._reader = None
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self._socket.sendall(PREFACE + settings(*entries) + frame(WINDOW_UPDATE, payload=struct.pack(">I", 1 << 30)))
        self._greet()
        if reads:
            self._reader = threading.Thread(target=self._read, daemon=True)
            self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the connection and its thread."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        if self._reader:
            self._reader.join()
        self._socket.close()

    def open_stream(self):
        """The id of the next stream."""
        self.next_stream += 2
        return self.next_stream - 2

    def send(self, data, seconds=10):
        """Returns how many bytes the server took before it closed, or stopped reading for longer than `seconds`."""
        sent, view = 0, memoryview(data)
        self._socket.settimeout(seconds)
        try:
            while sent < len(data) and not self.closed:
                sent += self._socket.send(view[sent : sent + (1 << 18)])
        except OSError as error:
            if not isinstance(error, TimeoutError):
                self._end()
        return sent

    def call(self, path, message, *fields, compressed=False, frame_size=16384):
        """Sends one unary call; returns its stream."""
        stream = self.open_stream()
        headers = header_frames(stream, request(path, *fields), size=frame_size)
        self.send(headers + frame(DATA, END_STREAM, stream, envelope(message, compressed)))
        return stream

    def wait(self, done, seconds):
        """Waits until `done()` or the end of the connection; returns `done()`."""
        with self._changed:
            self._changed.wait_for(lambda: done() or self.closed, seconds)
            return done()

    def ended(self, seconds):
        """Whether the server ended the connection, or announced it, within `seconds`."""
        return self.wait(lambda: self.goaway is not None or self.closed, seconds)

    def settled(self, streams, seconds):
        """Whether each stream got a status or a reset within `seconds`."""
        waiting = set(streams)

        def done():
            waiting.difference_update(stream for stream in list(waiting) if stream in self.statuses or stream in self.resets)
            return not waiting

        return self.wait(done, seconds)

    def outcome(self):
        """What the server did, in a few words."""
        if self.goaway:
            return f"GOAWAY {self.goaway[0]} {self.goaway[1].decode(errors='replace')}".strip()
        return "closed" if self.closed else "kept open"

    def _greet(self):
        """Reads up to the server's SETTINGS and acknowledges them."""
        self.greeted = False
        while not self.greeted and not self.closed:
            self._receive()

    def _read(self):
        while not self.closed:
            self._receive()

    def _receive(self):
        try:
            chunk = self._socket.recv(1 << 18)
        except TimeoutError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            return self._end()
        self._buffer += chunk
        at, end = 0, len(self._buffer)
        with self._changed:
            while end - at >= 9:
                length = int.from_bytes(self._buffer[at : at + 3], "big")
                if end - at < 9 + length:
                    break
                kind, flags = self._buffer[at + 3], self._buffer[at + 4]
                stream = int.from_bytes(self._buffer[at + 5 : at + 9], "big")
                self._handle(kind, flags, stream, self._buffer[at + 9 : at + 9 + length])
                at += 9 + length
            self._changed.notify_all()
        self._buffer = self._buffer[at:]

    def _handle(self, kind, flags, stream, payload):
        if kind == HEADERS:
            for name, value in self._decoder.decode(payload):  # no server here splits or pads its header blocks
                if name == "grpc-status":
                    self.statuses[stream] = int(value)
        elif kind == DATA:
            self.bodies[stream] = self.bodies.get(stream, b"") + payload
        elif kind == RST_STREAM:
            self.resets[stream] = int.from_bytes(payload, "big")
        elif kind == GOAWAY:
            self.goaway = (int.from_bytes(payload[4:8], "big"), payload[8:])
        elif kind == SETTINGS and flags & ACK:
            self.settings_acks += 1
        elif kind == SETTINGS:
            self.greeted = True
            self._answer(frame(SETTINGS, ACK))
        elif kind == PING and flags & ACK:
            self.ping_acks += 1
        elif kind == PING:
            self._answer(frame(PING, ACK, payload=payload))

    def _answer(self, data):
        try:
            self._socket.sendall(data)
        except OSError:
            pass  # the next read tells why

    def _end(self):
        with self._changed:
            self.closed = True
            self._changed.notify_all()


def until_still(read, seconds=1.0):
    """Waits until `read()` has not changed for `seconds`; returns it."""
    last, since = read(), time.monotonic()
    while time.monotonic() - since < seconds:
        time.sleep(0.05)
        if (now := read()) != last:
            last, since = now, time.monotonic()
    return last
