"""The attacks, and for each the honest traffic of the same shape that must not suffer for it.

The ids are those of the project's table of bad inputs. An attack returns what the server did, in words, and asserts where
the answer is prescribed. A twin asserts that every one of its calls was answered.
"""

import struct
import time
import zlib
from contextlib import ExitStack

import grpc
from conformance.v1 import calls_pb2 as pb
from conformance.v1 import calls_pb2_grpc as services
from wire import (
    CONTINUATION,
    DATA,
    END_STREAM,
    ENHANCE_YOUR_CALM,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    PING,
    REFUSED_STREAM,
    Connection,
    envelope,
    frame,
    header_frames,
    literal,
    reference,
    request,
    reset,
    settings,
    until_still,
)

ECHO, CHAT, DOWNLOAD = (f"/conformance.v1.Calls/{method}" for method in ("Echo", "Chat", "Download"))
RESOURCE_EXHAUSTED = 8
KIB, MIB = 1 << 10, 1 << 20
MESSAGE_LIMIT = 4 * MIB
STALL_SECONDS = 3  # a server that has not read for so long pushes back

rows = []  # (id, title, attack, twin's title, twin)


def row(row_id, title, twin_title, twin):
    """Registers an attack with its twin; both take the port."""

    def register(attack):
        rows.append((row_id, title, attack, twin_title, twin))
        return attack

    return register


def answered(connection, count, *fields, **options):
    """Makes `count` calls of Echo in turn and asserts that each came back right."""
    for n in range(count):
        message = pb.EchoRequest(payload=b"call %d" % n).SerializeToString()
        stream = connection.call(ECHO, message, *fields, **options)
        connection.settled([stream], 5)
        status, body = connection.statuses.get(stream), connection.bodies.get(stream)
        if status != 0 or body != envelope(message):
            raise AssertionError(
                f"call {n}: grpc-status {status}, reset {connection.resets.get(stream)}, connection {connection.outcome()}"
            )


def must_end(connection, seconds, why):
    """Asserts that the server ends the connection, or says so."""
    if not connection.ended(seconds):
        raise AssertionError(f"{why}, and the connection was kept for {seconds} s")


# H01: streams that are opened and reset at once.

RESETS = 100_000
ANSWERED_CANCELS = 20_000


def cancels_of_answered_streams(port):
    with Connection(port) as connection:
        message = envelope(b"")
        block = request(ECHO)
        for _ in range(ANSWERED_CANCELS // 100):
            streams = [connection.open_stream() for _ in range(100)]
            connection.send(b"".join(header_frames(s, block) + frame(DATA, END_STREAM, s, message) for s in streams))
            connection.settled(streams, 10)
            wrong = [s for s in streams if connection.statuses.get(s) != 0]
            assert not wrong, f"stream {wrong[0]} had no answer; connection {connection.outcome()}"
            connection.send(b"".join(map(reset, streams)))
        answered(connection, 1)


@row("H01", "rapid reset", "20,000 cancels of answered streams", cancels_of_answered_streams)
def rapid_reset(port):
    with Connection(port) as connection:
        block = request(CHAT)
        flood = b"".join(header_frames(s, block) + reset(s) for s in range(1, 2 * RESETS, 2))
        taken = connection.send(flood)
        connection.ended(2)
        refused = list(connection.resets.values()).count(REFUSED_STREAM)
        calmed = connection.goaway and connection.goaway[0] == ENHANCE_YOUR_CALM
        outcome = f"{refused} refused, {connection.outcome()}, {taken * RESETS // len(flood)} of {RESETS} taken"
        assert refused or calmed or connection.closed, f"every reset was put up with: {outcome}"
        return outcome


# H05: a header block without end.


def long_token(port):
    token = literal("authorization", "Bearer " + "jwt+" * 3750)  # 15 KiB in three frames
    with Connection(port) as connection:
        answered(connection, 100, token, frame_size=5200)


@row("H05", "CONTINUATION flood, and its zero-byte variant", "15 KiB of token in 3 frames", long_token)
def continuation_flood(port):
    outcomes = []
    start = frame(HEADERS, 0, 1, request(ECHO))
    full = frame(CONTINUATION, 0, 1, literal("x-junk", "j" * 16370)[:16384])
    for flood in (full * 4000, frame(CONTINUATION, 0, 1) * 1_000_000):
        with Connection(port) as connection:
            taken = connection.send(start + flood)
            must_end(connection, 10, f"{taken} bytes of one header block were read")
            outcomes.append(f"{connection.outcome()} after {taken // KIB} KiB")
    return ", ".join(outcomes)


# H06: few bytes that decode to many.

BOMB_CONNECTIONS = 20


def hundred_fields(port):
    fields = [literal(f"x-field-{n:02}", "v" * 110) for n in range(92)]  # and 6 that a gRPC request has
    with Connection(port) as connection:
        answered(connection, 100, *fields)


@row("H06", "HPACK bomb: 46 MiB in 16 KiB", "98 fields of 120 B", hundred_fields)
def hpack_bomb(port):
    block = request(ECHO, literal("x-bomb", "b" * 3900, indexed=True), reference(62) * 12_000)
    outcomes = []
    for _ in range(BOMB_CONNECTIONS):
        with Connection(port) as connection:
            connection.send(header_frames(1, block, END_STREAM))
            must_end(connection, 5, "a list of headers beyond four times the limit was sent")
            outcomes.append(connection.outcome())
    return f"{BOMB_CONNECTIONS} connections: {outcomes[0]}"


# H07: many fields of one byte each, held by a window of zero.

HELD_CONNECTIONS, HELD_STREAMS, HELD_SECONDS = 20, 128, 45


def browser_cookies(port):
    crumbs = [literal("cookie", f"crumb{n}={n}") for n in range(60)]
    with Connection(port) as connection:
        answered(connection, 100, *crumbs)


@row("H07", "indexed references and crumbs, held by a zero window", "60 cookie crumbs", browser_cookies)
def indexed_references(port):
    crumbs = header_frames(1, request(ECHO, reference(32) * 15_000), END_STREAM)  # 32 is `cookie` with no value
    with Connection(port) as connection:
        connection.send(crumbs)
        must_end(connection, 5, "15,000 fields were sent")
        outcome = f"15,000 crumbs: {connection.outcome()}"
    with ExitStack() as stack:
        held = [stack.enter_context(Connection(port, (INITIAL_WINDOW_SIZE, 0))) for _ in range(HELD_CONNECTIONS)]
        return outcome + "; " + hold_replies(held)


def hold_replies(connections):
    """Asks for more than the window lets through on every stream there is, and waits until the server loses patience."""
    message = envelope(pb.DownloadRequest(count=64, size=KIB).SerializeToString())
    entry = literal("x-held", "h" * 100, indexed=True)
    streams = range(1, 2 * HELD_STREAMS, 2)
    for connection in connections:
        blocks = (request(DOWNLOAD, entry if s == 1 else b"", reference(62) * 90) for s in streams)
        calls = (header_frames(s, b) + frame(DATA, END_STREAM, s, message) for s, b in zip(streams, blocks))
        connection.send(b"".join(calls))
    start = time.monotonic()
    for connection in connections:
        if not connection.settled(streams, max(0.1, start + HELD_SECONDS - time.monotonic())) and not connection.ended(0):
            raise AssertionError(f"replies that nobody let through were held for {HELD_SECONDS} s")
    refused = sum(list(c.resets.values()).count(REFUSED_STREAM) for c in connections)
    total = HELD_CONNECTIONS * HELD_STREAMS
    return f"{refused} of {total} held streams refused, the rest ended after {time.monotonic() - start:.0f} s"


# H15: PING frames.

KEEPALIVE_SECONDS, KEEPALIVES = 10, 3


def keepalive(port):
    with Connection(port) as connection:
        connection.send(header_frames(connection.open_stream(), request(CHAT)))
        for n in range(KEEPALIVES):
            if n:
                time.sleep(KEEPALIVE_SECONDS)
            connection.send(frame(PING, payload=b"keepaliv"))
            assert connection.wait(lambda: connection.ping_acks > n, 5), f"PING {n} had no answer: {connection.outcome()}"
            answered(connection, 1)


@row("H15", "PING flood, unread and read", "PING every 10 s beside a stream", keepalive)
def ping_flood(port):
    ping = frame(PING, payload=b"flooding")
    unread = unread_floods(port, ping * 500_000)
    with Connection(port) as connection:
        start = time.monotonic()
        while time.monotonic() - start < 25 and not connection.ended(0.1):
            connection.send(ping * 100)
        must_end(connection, 0, "1,000 PINGs a second were sent without a stream")
        read = f"{connection.outcome()} after {time.monotonic() - start:.0f} s"
    return f"unread: {unread}; read: {read}"


def unread_floods(port, flood):
    """Floods on three connections whose answers nobody reads. Being read no further and being closed are both right."""
    with ExitStack() as stack:
        connections = [stack.enter_context(Connection(port, reads=False)) for _ in range(3)]
        taken = [connection.send(flood, STALL_SECONDS) for connection in connections]
    assert max(taken) < len(flood), f"a flood of {len(flood)} bytes was taken whole"
    return f"{sum(taken) // KIB} of {3 * len(flood) // KIB} KiB taken"


# H18: SETTINGS frames.


def window_tuning(port):
    with Connection(port) as connection:
        acks = until_still(lambda: connection.settings_acks, 0.2)
        for n in range(8):
            connection.send(settings((INITIAL_WINDOW_SIZE, 65_535 + n * KIB)))
            assert connection.wait(lambda: connection.settings_acks > acks + n, 5), f"SETTINGS {n}: {connection.outcome()}"
            answered(connection, 1)
            time.sleep(1)


@row("H18", "SETTINGS flood, and 2,000 entries", "SETTINGS once a second", window_tuning)
def settings_flood(port):
    unread = unread_floods(port, settings((INITIAL_WINDOW_SIZE, 65_535)) * 800_000)
    with Connection(port) as connection:
        connection.send(settings(*[(INITIAL_WINDOW_SIZE, 65_535)] * 2000))
        must_end(connection, 5, "SETTINGS of 2,000 entries were sent")
        return f"unread: {unread}; 2,000 entries: {connection.outcome()}"


# G01 and G03: messages that claim, or become, more than the limit.


def echo_at_the_limit(port, compression):
    """Echoes a message of exactly the limit with a stranger's client."""
    payload = bytes(MESSAGE_LIMIT - 5)  # the field's tag and length take five bytes
    options = [("grpc.max_receive_message_length", -1), ("grpc.enable_retries", 0), ("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        stub = services.CallsStub(channel)
        for _ in range(3):
            reply = stub.Echo(pb.EchoRequest(payload=payload), timeout=10, compression=compression)
            assert reply.payload == payload, "another payload came back"


def plain_at_the_limit(port):
    echo_at_the_limit(port, grpc.Compression.NoCompression)


def gzip_at_the_limit(port):
    echo_at_the_limit(port, grpc.Compression.Gzip)


def all_exhausted(connection, streams, seconds):
    """Asserts that each stream failed with RESOURCE_EXHAUSTED and that the connection still serves."""
    connection.settled(streams, seconds)
    wrong = [s for s in streams if connection.statuses.get(s) != RESOURCE_EXHAUSTED]
    if wrong:
        status, code = connection.statuses.get(wrong[0]), connection.resets.get(wrong[0])
        raise AssertionError(f"stream {wrong[0]}: grpc-status {status}, reset {code}, connection {connection.outcome()}")
    answered(connection, 1)


@row("G01", "a length prefix of 4 GiB", "4 MiB exactly", plain_at_the_limit)
def giant_prefix(port):
    block, prefix = request(ECHO), struct.pack(">BI", 0, 0xFFFF_FFFF) + bytes(100)
    for _ in range(8):
        with Connection(port) as connection:
            streams = [connection.open_stream() for _ in range(100)]
            connection.send(b"".join(header_frames(s, block) + frame(DATA, 0, s, prefix) for s in streams))
            all_exhausted(connection, streams, 5)
    return "800 calls: RESOURCE_EXHAUSTED, connections kept"


BOMBS = 40


@row("G03", "gzip bomb: 40 times 60 MiB in 60 KiB", "4 MiB of zeros", gzip_at_the_limit)
def gzip_bomb(port):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = packer.compress(bytes(60 * MIB)) + packer.flush()
    assert len(bomb) < 65_000, "the bomb has to fit a fresh connection's window"
    parts = [bomb[at : at + 16_000] for at in range(0, len(bomb), 16_000)]
    parts[0] = struct.pack(">BI", 1, len(bomb)) + parts[0]
    block = request(ECHO, literal("grpc-encoding", "gzip"))
    with ExitStack() as stack:
        connections = [stack.enter_context(Connection(port)) for _ in range(BOMBS)]
        streams = [connection.open_stream() for connection in connections]
        for connection, stream in zip(connections, streams):
            data = [frame(DATA, END_STREAM if part is parts[-1] else 0, stream, part) for part in parts]
            connection.send(header_frames(stream, block) + b"".join(data))
        for connection, stream in zip(connections, streams):
            all_exhausted(connection, [stream], 20)
    return f"{BOMBS} calls: RESOURCE_EXHAUSTED, connections kept"
