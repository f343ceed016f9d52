"""Programs that a judge starts: each has a log, a time limit and an end, and is ended by its id."""

import argparse
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

WORK = Path(__file__).resolve().parent / ".work"
PYTHON = WORK / "venv/bin/python"
# Where cargo puts farcall's peers.
PEERS = Path(os.environ.get("CARGO_TARGET_DIR", WORK / "target")) / "release"
# conformance.v1 as a FileDescriptorSet, the flags of a server that speaks TLS, and the server by connect-go.
DESCRIPTORS = WORK / "descriptors.binpb"
CERTIFICATE = WORK / "certificate.pem"
TLS = f"--certificate={CERTIFICATE} --key={WORK}/key.pem"
STRANGER = f"{WORK}/bin/stranger --descriptors={DESCRIPTORS}"

# What a server prints when it is ready. The second form is grpc-go's.
LISTENING = re.compile(r"listening on (?:tcp://127\.0\.0\.1|\[::\]):(\d+)")
LISTENING_TLS = re.compile(r"listening on tls://127\.0\.0\.1:(\d+)")


class Server:
    """A server of its own process for as long as the `with` block lasts. With `tls` it has a second port, for TLS."""

    def __init__(self, command, start_seconds=20, tls=False):
        self.command = shlex.split(command)
        self.tls = tls
        self.start_seconds = start_seconds
        self.log = WORK / "logs" / (Path(self.command[0]).name + "-server.log")

    def __enter__(self):
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            self.port = self._wait_for_port(LISTENING)
            self.tls_port = self._wait_for_port(LISTENING_TLS) if self.tls else None
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_):
        self._end()

    @property
    def pid(self):
        """The id under which the kernel accounts for the server's memory."""
        return self.process.pid

    def alive(self):
        """Whether the server still runs."""
        return self.process.poll() is None

    def _wait_for_port(self, pattern):
        deadline = time.monotonic() + self.start_seconds
        while time.monotonic() < deadline and self.alive():
            if match := pattern.search(self.log.read_text(errors="replace")):
                return int(match[1])
            time.sleep(0.02)
        raise RuntimeError(f"{self.command[0]} did not say where it listens:\n{self.log.read_text(errors='replace')[-2000:]}")

    def _end(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def run(command, seconds):
    """Runs a client to its end. Returns (whether it exited with 0 in time, all that it printed)."""
    try:
        done = subprocess.run(
            shlex.split(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds
        )
    except subprocess.TimeoutExpired as late:
        return False, (late.stdout or b"").decode(errors="replace") + f"\nnot done after {seconds} s"
    return done.returncode == 0, done.stdout.decode(errors="replace")


def roles(description, server, client=None, peer_server=PEERS / "server", peer_client=PEERS / "client"):
    """Who is judged, from the command line: `.server` and `.client` are commands.

    The default is farcall: the peers. `--strangers` puts `server` and `client` there instead, so that the judge itself is
    tried.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--server", default=str(peer_server), help="command of the server to judge")
    parser.add_argument("--client", default=str(peer_client), help="command of the client to judge")
    parser.add_argument("--strangers", action="store_true", help="judge a stranger, to see that the judge works")
    parser.add_argument("only", nargs="*", help="the rows to judge, where the judge has rows; all without")
    judged = parser.parse_args()
    if judged.strangers:
        judged.server, judged.client = server, client
    # A judge that is told to end leaves through its `with` blocks, so that its programs end too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))
    return judged
