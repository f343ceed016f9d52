"""Connect's conformance suite judges both roles in Connect, gRPC and gRPC-Web, by every case of grid.yaml."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from process import PEERS, WORK, roles

GRID = Path(__file__).with_name("grid.yaml")
RUNNER = f"{WORK}/bin/connectconformance"
SERVER = f"{WORK}/bin/referenceserver"
CLIENT = f"{WORK}/bin/referenceclient"
SECONDS = 400

# The cases of the grid, so that none is missing unnoticed.
SERVER_CASES = 10736
CLIENT_CASES = 13046

# The runner compares messages on one thread only, and those of one suite are large: three runners share the server's cases.
LARGE = "Server Message Size"
COMPRESSIONS = "IDENTITY", "GZIP", "BR", "ZSTD", "DEFLATE", "SNAPPY"
SUITES = (
    "Basic",
    "Connect Unexpected Requests",
    "Connect to HTTP Code Mapping",
    "Connect with GET",
    "Deadline Propagation",
    "Duplicate Metadata",
    "Errors",
    "Server Empty Requests",
    "TLS Client Certs",
    "Timeouts",
    "Unexpected Requests",
    "gRPC Proto Sub-Format Requests",
    "gRPC Unexpected Requests",
    "gRPC-Web Proto Sub-Format Requests",
    "gRPC-Web Unexpected Requests",
)
SHARDS = (
    [f"{LARGE}/**/Compression:COMPRESSION_{name}/**" for name in COMPRESSIONS[:3]],
    [f"{LARGE}/**/Compression:COMPRESSION_{name}/**" for name in COMPRESSIONS[3:]],
    [f"{name}/**" for name in SUITES],
)

# What the suite's gRPC-Web server says now and then when it has closed a request before it has read its end; its own
# client is told so as well. Such a case is put to the client again, as often as is said here.
SERVERS_FAULT = "http: invalid Read on closed Body"
AGAIN = 3


class Runner:
    """A run of the suite, under way."""

    def __init__(self, mode, command, patterns):
        chosen = [part for pattern in patterns for part in ("--run", pattern)]
        command = [RUNNER, "--conf", GRID, "--mode", mode, *chosen, "--", *shlex.split(command)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def end(self):
        """Waits for the end. Returns (cases that passed, what was said of each that did not)."""
        try:
            output, _ = self.process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            output, _ = self.process.communicate()
        failures = dict(re.findall(r"^FAILED: (.*):\n((?:\t.*\n)*)", output, re.MULTILINE))
        passed = re.search(r"^(\d+) passed, (\d+) failed$", output, re.MULTILINE)
        if not passed or int(passed[2]) != len(failures):
            return 0, {"the runner itself": output[-2000:]}
        return int(passed[1]), failures


def judge(mode, command, shards, cases):
    """Puts all cases to one role; returns whether all passed."""
    passed, failures = 0, {}
    for runner in [Runner(mode, command, patterns) for patterns in shards]:
        some, others = runner.end()
        passed += some
        failures |= others
    for _ in range(AGAIN):
        for name in [name for name, reason in failures.items() if SERVERS_FAULT in reason][:AGAIN]:
            print(f"connect: again, because the suite's server failed: {name}")
            some, others = Runner(mode, command, [name]).end()
            passed += some
            del failures[name]
            failures |= others
    tell(mode, failures)
    print(f"connect: {mode}: {passed} passed, {len(failures)} failed, of {cases}", flush=True)
    return passed == cases and not failures


def tell(mode, failures):
    """Prints each reason once, with an example; all are in a log."""
    log = WORK / f"logs/connect-{mode}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("".join(f"FAILED  {name}\n{reason}" for name, reason in failures.items()))
    examples = {}
    for name, reason in failures.items():
        examples.setdefault(reason, []).append(name)
    for reason, names in list(examples.items())[:20]:
        print(f"FAILED  {len(names)} cases, one is {names[0]}\n{reason}", end="")


def main():
    judged = roles(__doc__, SERVER, CLIENT, PEERS / "connect-server", PEERS / "connect-client")
    directions = {
        "server": lambda: judge("server", judged.server, SHARDS, SERVER_CASES),
        "client": lambda: judge("client", judged.client, [[]], CLIENT_CASES),
    }
    verdicts = [run() for role, run in directions.items() if role in judged.only or not judged.only]
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
