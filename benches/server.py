"""The programs that are measured: built apart, pinned to core 0, started on a free port, stopped at the end."""

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from machine import HERE, TICKS

SERVER_CORE, LOAD_CORE = "0", "1"
# Debian packages of tools that are not called like their package.
PACKAGES = {"h2load": "nghttp2-client", "taskset": "util-linux"}


def require(*tools):
    """Ends the benchmark when a tool is missing."""
    for tool in tools:
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is missing (Debian: apt-get install {PACKAGES.get(tool, tool)})")


def build(package):
    """Builds one crate by its own cargo call and returns the path of its program."""
    print(f"building {package}", file=sys.stderr)
    command = ["cargo", "build", "--release", "--package", package, "--message-format", "json"]
    output = subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in output.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == package:
            return message["executable"]
    sys.exit(f"cargo built no program called {package}")


@contextlib.contextmanager
def running(peers):
    """Builds and starts peers {name: (crate, runtime)} and gives {name: Server}; stops them whatever happens."""
    binaries = {crate: build(crate) for crate in sorted({crate for crate, _ in peers.values()})}
    servers = {}
    try:
        for name, (crate, runtime) in peers.items():
            servers[name] = Server(binaries[crate], runtime)
            servers[name].wait()
        yield servers
    finally:
        for server in servers.values():
            server.process.kill()
            server.process.wait()


class Server:
    def __init__(self, binary, runtime):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.binary = binary
        command = ["taskset", "-c", SERVER_CORE, binary, self.address, runtime]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr)

    def wait(self):
        """Returns as soon as the server listens."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                sys.exit(f"{self.binary} ended with {self.process.returncode} before it listened")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"{self.binary} did not listen on {self.address} within 10 s")

    def cpu_seconds(self):
        """CPU time of every thread, in nanosecond steps where the kernel keeps them."""
        total = 0.0
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            schedstat = task / "schedstat"
            if schedstat.exists():
                total += int(schedstat.read_text().split()[0]) / 1e9
            else:
                fields = (task / "stat").read_text().rpartition(")")[2].split()
                total += (int(fields[11]) + int(fields[12])) / TICKS
        return total
