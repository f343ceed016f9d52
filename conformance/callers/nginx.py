"""nginx in the path: grpcio calls nginx, which hands the calls on by grpc_pass."""

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import grpc

from conformance.v1 import calls_pb2 as pb
from conformance.v1 import calls_pb2_grpc as services
from expected import CODE_NAME, COUNT, FAIL, MESSAGE, PAYLOAD, SIZE, STREAM, same

CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} http2;
        location / {{ grpc_pass grpc://127.0.0.1:{behind}; }}
    }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx:
    """nginx with a configuration of its own for as long as the `with` block lasts."""

    def __init__(self, behind):
        self.behind, self.port = behind, free_port()

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="nginx-"))
        self.folder.chmod(0o755)
        config = self.folder / "nginx.conf"
        config.write_text(CONFIG.format(folder=self.folder, port=self.port, behind=self.behind))
        self.process = subprocess.Popen(["/usr/sbin/nginx", "-c", config, "-e", self.folder / "error.log"])
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=10)
        shutil.rmtree(self.folder)

    def _wait(self):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError(f"nginx does not listen: {(self.folder / 'error.log').read_text()[-500:]}")




def judge(server):
    options = [("grpc.enable_retries", 0), ("grpc.enable_http_proxy", 0)]
    with Nginx(server.port) as nginx, grpc.insecure_channel(f"127.0.0.1:{nginx.port}", options=options) as channel:
        stub = services.CallsStub(channel)
        same("Echo", stub.Echo(pb.EchoRequest(payload=PAYLOAD), timeout=10).payload, PAYLOAD)
        replies = stub.Download(pb.DownloadRequest(count=COUNT, size=SIZE), timeout=10)
        same("Download", [reply.payload for reply in replies], STREAM)
        try:
            stub.Fail(pb.FailRequest(**FAIL), timeout=10)
            raise AssertionError("Fail: it did not")
        except grpc.RpcError as error:
            code = error.code().name.title().replace("_", "")
            same("Fail", (code, error.details()), (CODE_NAME, MESSAGE))


def callers():
    """(name, what to run with the server)."""
    yield "grpcio, through nginx's grpc_pass", judge
