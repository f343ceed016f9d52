"""The clients that people have call the server: each echoes, takes a stream and is told of a failure."""

import json
import os
import subprocess
import sys

import connectrpc_client
import expected
import nginx
import programs
from process import CERTIFICATE, DESCRIPTORS, STRANGER, TLS, WORK, Server, roles

NODE = WORK / "node"
NODE_SECONDS = 60
# In this network nobody else has the port.
ORIGIN = "http://localhost:8099"
FLAGS = f"{TLS} --origin={ORIGIN}"
NODE_CALLERS = {"grpc_js.mjs": 2, "connect_node.mjs": 15, "browser.mjs": 4}


def by_python(server):
    """Runs the callers that this process can run itself; returns the verdicts."""
    verdicts = []
    for name, call in [*programs.callers(), *connectrpc_client.callers(), *nginx.callers()]:
        try:
            call(server)
            print(f"ok      {name}", flush=True)
            verdicts.append(True)
        except Exception as error:  # a judge goes on
            print(f"FAILED  {name}: {type(error).__name__} {error}", flush=True)
            verdicts.append(False)
    return verdicts


def by_node(server):
    """Runs the callers in JavaScript; returns the verdicts."""
    plan = {
        "port": server.port,
        "tlsPort": server.tls_port,
        "certificate": str(CERTIFICATE),
        "descriptors": str(DESCRIPTORS),
        "proto": os.path.abspath(programs.PROTO),
        "origin": ORIGIN,
        "payload": expected.ECHO["payload"],
        "download": expected.DOWNLOAD,
        "stream": [reply["payload"] for reply in expected.REPLIES],
        "fail": expected.FAIL,
    }
    verdicts = []
    for script, checks in NODE_CALLERS.items():
        try:
            done = subprocess.run(
                ["node", NODE / script, json.dumps(plan)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=NODE_SECONDS,
                env=os.environ | {"NODE_NO_WARNINGS": "1"},
            )
            output, ended_well = done.stdout, done.returncode == 0
        except subprocess.TimeoutExpired as late:
            output, ended_well = (late.stdout or b"").decode(), False
        print(output, end="", flush=True)
        passed = sum(line.startswith("ok ") for line in output.splitlines())
        if passed != checks or not ended_well:
            print(f"FAILED  {script}: {passed} of {checks} checks passed", flush=True)
        verdicts += [True] * passed + [False] * (max(checks - passed, 0) or (not ended_well))
    return verdicts


def main():
    judged = roles(__doc__, STRANGER)
    with Server(f"{judged.server} {FLAGS}", tls=True) as server:
        server.certificate = CERTIFICATE
        verdicts = by_python(server) + by_node(server)
        alive = server.alive()
    if not alive:
        print("FAILED  the server ended during the run")
    print(f"callers: {verdicts.count(True)} passed, {verdicts.count(False)} failed", flush=True)
    return 0 if alive and all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
