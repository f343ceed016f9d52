"""A grpcio server that offers conformance.v1, for clients to be judged by. Prints `listening on tcp://127.0.0.1:PORT`."""

import argparse
import asyncio
import collections
import functools

import grpc
from conformance.v1 import calls_pb2 as pb
from conformance.v1 import calls_pb2_grpc as services
from google.protobuf import any_pb2
from google.rpc import status_pb2
from grpc_status import rpc_status
from meter import Meter

State = pb.ObserveReply.State


def observed(handler):
    """Keeps how a call with an `x-call-id` went."""

    @functools.wraps(handler)
    async def observing(self, request, context):
        call_id = dict(context.invocation_metadata()).get("x-call-id")
        if call_id is None:
            return await handler(self, request, context)
        self.states[call_id] = State.STATE_RUNNING
        self.calls[call_id] += 1
        end = State.STATE_FINISHED
        try:
            return await handler(self, request, context)
        except (asyncio.CancelledError, grpc.aio.InternalError):  # the latter: a write that the end of the call cut off
            end = State.STATE_CANCELLED
            raise
        finally:
            self.states[call_id] = end

    return observing


async def requests(context):
    """The client's messages. A cancelled call reads as an ended one; what tells them apart comes a moment later."""
    while (request := await context.read()) is not grpc.aio.EOF:
        yield request
    await asyncio.sleep(0.02)


def entries(metadata):
    """Metadata in grpcio's form: text under an ASCII key, bytes under a `-bin` key."""
    return [(e.key, e.value if e.key.endswith("-bin") else e.value.decode("ascii")) for e in metadata]


async def compress(context):
    """Has the answers compressed. grpcio heeds this only in initial metadata that is sent by hand."""
    context.set_compression(grpc.Compression.Gzip)
    await context.send_initial_metadata(())


class Calls(services.CallsServicer):
    """The service as calls.proto tells it. Handlers are coroutines of one shape, so that one decorator observes all."""

    def __init__(self):
        self.states = {}
        self.calls = collections.Counter()

    @observed
    async def Echo(self, request, context):
        if request.compress:
            await compress(context)
        return pb.EchoReply(payload=request.payload)

    @observed
    async def Upload(self, _, context):
        messages = payload_bytes = 0
        async for request in requests(context):
            messages += 1
            payload_bytes += len(request.payload)
        return pb.UploadReply(messages=messages, payload_bytes=payload_bytes)

    @observed
    async def Download(self, request, context):
        if request.compress:
            await compress(context)
        pattern = bytes(i % 251 for i in range(request.size + 251))
        for n in range(request.count):
            await context.write(pb.EchoReply(payload=pattern[n % 251 : n % 251 + request.size]))

    @observed
    async def Chat(self, _, context):
        first = True
        async for request in requests(context):
            if first and request.compress:
                await compress(context)
            first = False
            await context.write(pb.EchoReply(payload=request.payload))

    @observed
    async def EchoMetadata(self, request, context):
        received = [
            pb.MetadataEntry(key=key, value=value if isinstance(value, bytes) else value.encode("ascii"))
            for key, value in context.invocation_metadata()
            if key.startswith("x-")
        ]
        await context.send_initial_metadata(entries(request.initial))
        context.set_trailing_metadata(entries(request.trailing))
        return pb.EchoMetadataReply(received=received)

    @observed
    async def Fail(self, request, context):
        await self._fail(request, context)

    @observed
    async def FailStream(self, request, context):
        for _ in range(request.messages):
            await context.write(pb.EchoReply())
        await self._fail(request, context)

    async def _fail(self, request, context):
        trailing = entries(request.trailing)
        if request.details:
            details = [any_pb2.Any(type_url=d.type_url, value=d.value) for d in request.details]
            status = status_pb2.Status(code=request.code, message=request.message, details=details)
            trailing += rpc_status.to_status(status).trailing_metadata
        code = next(code for code in grpc.StatusCode if code.value[0] == request.code)
        await context.abort(code, request.message, tuple(trailing))

    @observed
    async def Sleep(self, request, context):
        left = context.time_remaining()
        await asyncio.sleep(request.milliseconds / 1000)
        return pb.SleepReply(deadline_ms=None if left is None else max(0, int(left * 1000)))

    @observed
    async def Endless(self, _, context):
        while True:
            await context.write(pb.EchoReply(payload=bytes(1024)))

    async def Observe(self, request, context):
        state = self.states.get(request.call_id, State.STATE_UNSPECIFIED)
        return pb.ObserveReply(state=state, calls=self.calls[request.call_id])


class Wire(services.WireServicer):
    """Tells what the meter in front of this server counted."""

    def __init__(self, meter):
        self.meter = meter

    async def Traffic(self, request, context):
        return pb.TrafficReply(received_bytes=self.meter.received, sent_bytes=self.meter.sent)


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--message-limit", type=int, default=4 << 20, help="bytes of the largest message received")
    limit = parser.parse_args().message_limit
    options = [
        ("grpc.max_receive_message_length", limit),
        ("grpc.max_metadata_size", 16 << 10),  # bytes; grpcio refuses some requests above the first and all above the second
        ("grpc.absolute_max_metadata_size", 32 << 10),
        ("grpc.so_reuseport", 0),
    ]
    server = grpc.aio.server(options=options)
    meter = Meter()
    services.add_CallsServicer_to_server(Calls(), server)
    services.add_WireServicer_to_server(Wire(meter), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"listening on tcp://127.0.0.1:{await meter.open(port)}", flush=True)
    await server.wait_for_termination()


asyncio.run(main())
