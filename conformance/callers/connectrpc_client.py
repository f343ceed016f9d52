"""connectrpc of PyPI, in its three protocols."""

from connectrpc.client import ConnectClientSync
from connectrpc.code import Code
from connectrpc.compat import google_protobuf_binary_codec, google_protobuf_json_codec
from connectrpc.errors import ConnectError
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.protocol import ProtocolType
from pyqwest import HTTPVersion, SyncClient, SyncHTTPTransport

from conformance.v1 import calls_pb2 as pb
from expected import COUNT, FAIL, MESSAGE, PAYLOAD, SERVICE, SIZE, STREAM, same


def method(name, request, reply, stream=StreamType.UNARY, level=IdempotencyLevel.UNKNOWN):
    return MethodInfo(
        name=name, service_name=SERVICE, input=request, output=reply, idempotency_level=level, stream_type=stream
    )


ECHO = method("Echo", pb.EchoRequest, pb.EchoReply, level=IdempotencyLevel.NO_SIDE_EFFECTS)
DOWNLOAD = method("Download", pb.DownloadRequest, pb.EchoReply, StreamType.SERVER_STREAM)
FAILING = method("Fail", pb.FailRequest, pb.EchoReply)


def judge(server, protocol, codec, version):
    transport = SyncHTTPTransport(http_version=version)
    with ConnectClientSync(
        f"http://127.0.0.1:{server.port}", protocol=protocol, codec=codec, http_client=SyncClient(transport)
    ) as client:
        reply = client.execute_unary(request=pb.EchoRequest(payload=PAYLOAD), method=ECHO)
        same("Echo", reply.payload, PAYLOAD)
        if protocol is ProtocolType.CONNECT:
            reply = client.execute_unary(request=pb.EchoRequest(payload=PAYLOAD), method=ECHO, use_get=True)
            same("Echo by GET", reply.payload, PAYLOAD)
        replies = client.execute_server_stream(request=pb.DownloadRequest(count=COUNT, size=SIZE), method=DOWNLOAD)
        same("Download", [reply.payload for reply in replies], STREAM)
        try:
            client.execute_unary(request=pb.FailRequest(**FAIL), method=FAILING)
            raise AssertionError("Fail: it did not")
        except ConnectError as error:
            same("Fail", (error.code, error.message), (Code.NOT_FOUND, MESSAGE))


def callers():
    """(name, what to run with the server)."""
    codecs = {"proto": google_protobuf_binary_codec(), "json": google_protobuf_json_codec()}
    for protocol in (ProtocolType.CONNECT, ProtocolType.GRPC, ProtocolType.GRPC_WEB):
        for name, codec in codecs.items():
            for version in (HTTPVersion.HTTP1, HTTPVersion.HTTP2):
                if protocol is ProtocolType.GRPC and version is HTTPVersion.HTTP1:
                    continue
                number = "HTTP/2" if version is HTTPVersion.HTTP2 else "HTTP/1.1"
                yield (
                    f"connectrpc (PyPI), {protocol.name.lower()}, {name}, {number}",
                    lambda server, p=protocol, c=codec, v=version: judge(server, p, c, v),
                )
