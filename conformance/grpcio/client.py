"""Judges a server that offers conformance.v1 with a grpcio client.

One line per check, then `N passed, N failed`; exits with 1 when one failed. The server's message limit has to be 17 MiB.
"""

import argparse
import asyncio
import functools
import itertools
import sys
import time
import traceback

import grpc
from conformance.v1 import calls_pb2 as pb
from conformance.v1 import calls_pb2_grpc as services
from google.protobuf import any_pb2, duration_pb2
from grpc import StatusCode
from grpc_status import rpc_status
from meter import Meter

KIB, MIB = 1 << 10, 1 << 20
MESSAGE_LIMIT = 17 * MIB
CHECK_SECONDS = 60
SIZES = [0, 1, 100, 16 * KIB - 5, 16 * KIB, 64 * KIB - 1, 64 * KIB, MIB, 4 * MIB, 16 * MIB]
OPTIONS = [
    ("grpc.max_receive_message_length", MESSAGE_LIMIT),
    ("grpc.max_send_message_length", MESSAGE_LIMIT),
    ("grpc.use_local_subchannel_pool", 1),  # a connection per channel
    ("grpc.enable_http_proxy", 0),
]
State = pb.ObserveReply.State

checks = []
call_ids = (f"grpcio-{time.monotonic_ns()}-{n}" for n in itertools.count())


def check(name):
    """Registers a coroutine that takes the stub and asserts."""

    def register(function):
        checks.append((name, function))
        return function

    return register


def check_each(name, values):
    """Registers one check per value; the function takes the stub and the value."""

    def register(function):
        for value in values:
            checks.append((name.format(getattr(value, "name", value)), functools.partial(function, value=value)))
        return function

    return register


def pattern(size, start=0):
    """Bytes whose order matters: byte i is (start + i) mod 251."""
    cycle = bytes(range(251))
    return (cycle * ((size + start) // 251 + 2))[start % 251 :][:size]


def equal(got, expected, what="answer"):
    """Fails with both values, shortened."""
    if got != expected:
        raise AssertionError(f"{what}: expected {str(expected)[:200]}, got {str(got)[:200]}")


async def fails_with(code, call):
    """Awaits a call that has to fail with `code`; returns the error."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        equal(error.code(), code, f"status ({error.details()})")
        return error
    raise AssertionError(f"expected {code}, got an answer")


async def reaches(stub, call_id, state):
    """Waits until the server says that the call is in `state`."""
    last = None
    for _ in range(200):
        last = (await stub.Observe(pb.ObserveRequest(call_id=call_id))).state
        if last == state:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"call stayed in {State.Name(last)}, expected {State.Name(state)}")


# The four kinds of calls, and sizes.


@check_each("unary echoes {} bytes", SIZES)
async def unary(stub, value):
    equal((await stub.Echo(pb.EchoRequest(payload=pattern(value)))).payload, pattern(value))


@check_each("client streaming takes 3 messages of {} bytes", SIZES)
async def upload_sizes(stub, value):
    call = stub.Upload(pb.EchoRequest(payload=pattern(value)) for _ in range(3))
    equal(await call, pb.UploadReply(messages=3, payload_bytes=3 * value))


@check_each("client streaming counts {} messages", [0, 1, 5000])
async def upload_counts(stub, value):
    call = stub.Upload(pb.EchoRequest(payload=b"seven b") for _ in range(value))
    equal(await call, pb.UploadReply(messages=value, payload_bytes=7 * value))


@check_each("server streaming gives 3 messages of {} bytes", SIZES)
async def download_sizes(stub, value):
    got = [reply.payload async for reply in stub.Download(pb.DownloadRequest(count=3, size=value))]
    equal(got, [pattern(value, n) for n in range(3)])


@check_each("server streaming gives {} messages in order", [0, 1, 5000])
async def download_counts(stub, value):
    got = [reply.payload async for reply in stub.Download(pb.DownloadRequest(count=value, size=3))]
    equal(got, [pattern(3, n) for n in range(value)])


@check_each("bidirectional echoes 3 messages of {} bytes", SIZES)
async def chat_sizes(stub, value):
    sent = [pattern(value, n) for n in range(3)]
    got = [reply.payload async for reply in stub.Chat(pb.EchoRequest(payload=payload) for payload in sent)]
    equal(got, sent)


@check("bidirectional answers each message before the next is sent")
async def chat_in_turn(stub):
    call = stub.Chat()
    for n in range(500):
        await call.write(pb.EchoRequest(payload=pattern(n, n)))
        equal((await call.read()).payload, pattern(n, n))
    await call.done_writing()
    equal(await call.read(), grpc.aio.EOF)
    equal(await call.code(), StatusCode.OK, "status")


@check("bidirectional without a message ends with OK")
async def chat_empty(stub):
    equal([reply async for reply in stub.Chat(iter(()))], [])


@check("bidirectional keeps the order of 5000 messages")
async def chat_many(stub):
    sent = [n.to_bytes(4, "big") for n in range(5000)]
    got = [reply.payload async for reply in stub.Chat(pb.EchoRequest(payload=payload) for payload in sent)]
    equal(got, sent)


# Metadata.

ENTRIES = [
    ("x-text", "plain"),
    ("x-twice", "first"),
    ("x-twice", "second"),
    ("x-twice", "third"),
    ("x-printable", "".join(map(chr, range(0x21, 0x7F)))),
    ("x-inner-spaces", "a  b   c"),
    ("x-every-byte-bin", bytes(range(256))),
    ("x-twice-bin", b"\x00\x01"),
    ("x-twice-bin", b"\xff\xfe\xfd"),
    ("x-one-bin", b"\x80"),
    ("x-comma-bin", b",,,"),
]


def by_key(entries):
    """The values of each key in order; what order holds between keys is nobody's business."""
    keys = {}
    for key, value in entries:
        keys.setdefault(key, []).append(value if isinstance(value, bytes) else value.encode())
    return keys


def ours(metadata):
    """The entries that these checks sent, without what the protocol adds."""
    return by_key((key, value) for key, value in metadata if key.startswith("x-"))


def to_entries(metadata):
    return [pb.MetadataEntry(key=k, value=v if isinstance(v, bytes) else v.encode()) for k, v in metadata]


@check("metadata reaches the server: ASCII, binary, duplicates in order")
async def metadata_up(stub):
    reply = await stub.EchoMetadata(pb.EchoMetadataRequest(), metadata=ENTRIES)
    equal(by_key((e.key, e.value) for e in reply.received), by_key(ENTRIES), "metadata")


@check("initial and trailing metadata come back: ASCII, binary, duplicates in order")
async def metadata_down(stub):
    entries = to_entries(ENTRIES)
    call = stub.EchoMetadata(pb.EchoMetadataRequest(initial=entries, trailing=list(reversed(entries))))
    await call
    equal(ours(await call.initial_metadata()), by_key(ENTRIES), "initial metadata")
    equal(ours(await call.trailing_metadata()), by_key(reversed(ENTRIES)), "trailing metadata")


@check("6 KiB of metadata pass both ways")
async def metadata_large(stub):
    large = [(f"x-large-{n}", "v" * 1000) for n in range(6)]
    call = stub.EchoMetadata(pb.EchoMetadataRequest(trailing=to_entries(large)), metadata=large)
    equal(by_key((e.key, e.value) for e in (await call).received), by_key(large), "metadata")
    equal(ours(await call.trailing_metadata()), by_key(large), "trailing metadata")


@check("trailing metadata goes with a failure")
async def metadata_of_failure(stub):
    request = pb.FailRequest(code=9, message="no", trailing=to_entries(ENTRIES))
    error = await fails_with(StatusCode.FAILED_PRECONDITION, stub.Fail(request))
    equal(ours(error.trailing_metadata()), by_key(ENTRIES), "trailing metadata")


# Statuses.

CODES = [code for code in StatusCode if code is not StatusCode.OK]
MESSAGE = "100 % of naïve \t tests\r\nsay ☺ and 😈 "


def details():
    """One detail that every library knows and one that none does."""
    known = any_pb2.Any()
    known.Pack(duration_pb2.Duration(seconds=3, nanos=7))
    return [known, any_pb2.Any(type_url="type.example/conformance.Unknown", value=bytes(range(256)))]


def failure(code, **more):
    return pb.FailRequest(
        code=code.value[0],
        message=MESSAGE,
        details=[pb.Detail(type_url=d.type_url, value=d.value) for d in details()],
        **more,
    )


async def carries_details(error, call):
    equal(error.details(), MESSAGE, "message")
    status = await rpc_status.aio.from_call(call)
    equal((status.code, status.message), (error.code().value[0], MESSAGE), "google.rpc.Status")
    equal(list(status.details), details(), "details")


@check_each("unary fails with {} and details", CODES)
async def status_unary(stub, value):
    call = stub.Fail(failure(value))
    await carries_details(await fails_with(value, call), call)


@check_each("a stream fails with {} and details after 3 messages", CODES)
async def status_stream(stub, value):
    call = stub.FailStream(failure(value, messages=3))
    for _ in range(3):
        equal(await call.read(), pb.EchoReply())
    await carries_details(await fails_with(value, call.read()), call)


@check("a failure without message and details is its code")
async def status_bare(stub):
    call = stub.Fail(pb.FailRequest(code=5))
    error = await fails_with(StatusCode.NOT_FOUND, call)
    equal((error.details(), await rpc_status.aio.from_call(call)), ("", None), "message and details")


@check("an unknown service is UNIMPLEMENTED")
async def unknown_service(stub):
    await fails_with(StatusCode.UNIMPLEMENTED, services.AbsentStub(stub.channel).Nothing(pb.EchoRequest()))


@check("an unknown method is UNIMPLEMENTED")
async def unknown_method(stub):
    await fails_with(StatusCode.UNIMPLEMENTED, stub.channel.unary_unary("/conformance.v1.Calls/Nothing")(b""))


# Deadlines and cancellation.


@check("a deadline reaches the server")
async def deadline_seen(stub):
    reply = await stub.Sleep(pb.SleepRequest(), timeout=50)
    if not 40_000 < reply.deadline_ms <= 51_000:  # grpcio rounds up
        raise AssertionError(f"expected almost 50000 ms to be left, got {reply}")


@check("no deadline is no deadline")
async def deadline_absent(stub):
    equal((await stub.Sleep(pb.SleepRequest())).HasField("deadline_ms"), False, "deadline_ms is there")


@check("a deadline ends a call at the client and its handler at the server")
async def deadline_passes(stub):
    call_id, started = next(call_ids), time.monotonic()
    call = stub.Sleep(pb.SleepRequest(milliseconds=30_000), timeout=0.2, metadata=[("x-call-id", call_id)])
    await fails_with(StatusCode.DEADLINE_EXCEEDED, call)
    if time.monotonic() - started > 2:
        raise AssertionError("the deadline was 0.2 s; the call took longer than 2 s")
    await reaches(stub, call_id, State.STATE_CANCELLED)


@check("a deadline ends a stream and its handler")
async def deadline_of_stream(stub):
    call_id = next(call_ids)
    call = stub.Chat(timeout=0.3, metadata=[("x-call-id", call_id)])
    await call.write(pb.EchoRequest(payload=b"one"))
    equal((await call.read()).payload, b"one")
    await fails_with(StatusCode.DEADLINE_EXCEEDED, call.read())
    await reaches(stub, call_id, State.STATE_CANCELLED)


async def cancelled(call):
    """Cancels a call and waits until this side knows it as cancelled."""
    call.cancel()
    equal(await call.code(), StatusCode.CANCELLED, "status")


@check("cancelling a unary call stops its handler")
async def cancel_unary(stub):
    call_id = next(call_ids)
    call = stub.Sleep(pb.SleepRequest(milliseconds=30_000), metadata=[("x-call-id", call_id)])
    await reaches(stub, call_id, State.STATE_RUNNING)
    await cancelled(call)
    await reaches(stub, call_id, State.STATE_CANCELLED)


@check("cancelling an endless server stream stops its handler")
async def cancel_download(stub):
    call_id = next(call_ids)
    call = stub.Endless(pb.EndlessRequest(), metadata=[("x-call-id", call_id)])
    for _ in range(1000):
        equal(len((await call.read()).payload), 1024)
    await reaches(stub, call_id, State.STATE_RUNNING)
    await cancelled(call)
    await reaches(stub, call_id, State.STATE_CANCELLED)


@check("an endless stream that nobody reads waits, and cancelling it stops its handler")
async def cancel_unread(stub):
    call_id = next(call_ids)
    call = stub.Endless(pb.EndlessRequest(), metadata=[("x-call-id", call_id)])
    await call.read()
    await asyncio.sleep(0.5)
    await reaches(stub, call_id, State.STATE_RUNNING)
    await cancelled(call)
    await reaches(stub, call_id, State.STATE_CANCELLED)


@check("cancelling an upload stops its handler")
async def cancel_upload(stub):
    call_id = next(call_ids)
    call = stub.Upload(metadata=[("x-call-id", call_id)])
    await call.write(pb.EchoRequest(payload=b"first of many"))
    await reaches(stub, call_id, State.STATE_RUNNING)
    await cancelled(call)
    await reaches(stub, call_id, State.STATE_CANCELLED)


@check("a call that ends well is seen to finish")
async def finish_seen(stub):
    call_id = next(call_ids)
    await stub.Echo(pb.EchoRequest(), metadata=[("x-call-id", call_id)])
    await reaches(stub, call_id, State.STATE_FINISHED)


# Compression. A meter between client and server counts what was sent; zeros that travel in full would show.


async def metered(stub, talk):
    """Runs `talk` with a stub whose bytes are counted; returns (bytes to the server, bytes from it)."""
    meter = Meter()
    port = await meter.open(int(stub.target.rpartition(":")[2]))
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=OPTIONS) as channel:
        await talk(services.CallsStub(channel))
    return meter.received, meter.sent


def small(counted, what):
    if counted > 64 * KIB:
        raise AssertionError(f"{what}: 1 MiB of zeros took {counted} bytes on the wire")


def in_full(counted, what):
    if counted < MIB:
        raise AssertionError(f"{what}: {counted} bytes on the wire for 1 MiB that nobody asked to compress")


@check("a gzip request gets a plain answer")
async def gzip_request(stub):
    async def talk(metered_stub):
        reply = await metered_stub.Echo(pb.EchoRequest(payload=bytes(MIB)), compression=grpc.Compression.Gzip)
        equal(reply.payload, bytes(MIB))

    sent, received = await metered(stub, talk)
    small(sent, "request")
    in_full(received, "answer")


@check("a plain request gets a gzip answer")
async def gzip_reply(stub):
    async def talk(metered_stub):
        reply = await metered_stub.Echo(pb.EchoRequest(payload=bytes(MIB), compress=True))
        equal(reply.payload, bytes(MIB))

    sent, received = await metered(stub, talk)
    in_full(sent, "request")
    small(received, "answer")


@check("gzip both ways in a bidirectional stream")
async def gzip_chat(stub):
    async def talk(metered_stub):
        requests = (pb.EchoRequest(payload=bytes(MIB // 4), compress=True) for _ in range(4))
        call = metered_stub.Chat(requests, compression=grpc.Compression.Gzip)
        equal([reply.payload async for reply in call], [bytes(MIB // 4)] * 4)

    sent, received = await metered(stub, talk)
    small(sent, "requests")
    small(received, "answers")


@check_each("gzip both ways with {} bytes", [0, 1, 100, MIB, 16 * MIB])
async def gzip_sizes(stub, value):
    request = pb.EchoRequest(payload=pattern(value), compress=True)
    equal((await stub.Echo(request, compression=grpc.Compression.Gzip)).payload, pattern(value))


# Many at once.


@check("1000 calls at once on one connection")
async def thousand(stub):
    async def one(n):
        equal((await stub.Echo(pb.EchoRequest(payload=pattern(n, n)))).payload, pattern(n, n))

    await asyncio.gather(*map(one, range(1000)))


@check("1000 sleeping calls at once, none waits for all others")
async def thousand_asleep(stub):
    started = time.monotonic()
    await asyncio.gather(*(stub.Sleep(pb.SleepRequest(milliseconds=100)) for _ in range(1000)))
    if time.monotonic() - started > 20:
        raise AssertionError("1000 calls of 100 ms took longer than 20 s: they ran one by one")


@check("1000 calls of which each third is cancelled leave the others alone")
async def thousand_some_cancelled(stub):
    calls = [stub.Sleep(pb.SleepRequest(milliseconds=50)) for _ in range(1000)]
    await asyncio.sleep(0.02)
    for call in calls[::3]:
        call.cancel()
    for n, call in enumerate(calls):
        if n % 3:
            await call


async def judge(stub, name, function):
    """Runs one check and says how it went."""
    try:
        await asyncio.wait_for(function(stub), CHECK_SECONDS)
    except Exception as error:  # a judge goes on
        line = traceback.extract_tb(error.__traceback__)[-1].lineno
        print(f"FAILED  {name}: {type(error).__name__} {error} (line {line})", flush=True)
        return False
    print(f"ok      {name}", flush=True)
    return True


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server_host", default="127.0.0.1")
    parser.add_argument("--server_port", required=True)
    parser.add_argument("--test_case", default="calls", choices=["calls"])
    parser.add_argument("--only", default="", help="run the checks with this in their name")
    parser.add_argument("--list", action="store_true", help="print the checks' names and call nobody")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(name for name, _ in checks))
        return 0
    target = f"{arguments.server_host}:{arguments.server_port}"
    async with grpc.aio.insecure_channel(target, options=OPTIONS) as channel:
        stub = services.CallsStub(channel)
        stub.channel, stub.target = channel, target
        verdicts = [await judge(stub, *check) for check in checks if arguments.only in check[0]]
    print(f"{verdicts.count(True)} passed, {verdicts.count(False)} failed")
    return 0 if verdicts and all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
