"""A well-behaved grpcio client that calls Echo again and again on one connection. Usage: honest.py PORT.

Each line on its input ends a phase, and is answered with a line of JSON about that phase; the input's end ends it.
"""

import json
import sys
import threading
import time

import grpc
from conformance.v1 import calls_pb2 as pb
from conformance.v1 import calls_pb2_grpc as services

CALL_SECONDS = 5
PAYLOADS = [bytes(64), bytes(range(256)) * 128]  # 64 B and 32 KiB


class Phase:
    """What was seen since the last line of input. Latencies are in milliseconds."""

    def __init__(self):
        self.latencies = []
        self.errors = []

    def report(self):
        latencies = sorted(self.latencies) or [0]
        return json.dumps(
            {
                "calls": len(self.latencies),
                "errors": self.errors[:3],
                "p99_ms": round(latencies[len(latencies) * 99 // 100], 1),
                "worst_ms": round(latencies[-1], 1),
            }
        )


def main():
    phases = [Phase()]

    def answer_lines():
        for _ in sys.stdin:
            phases.append(Phase())
            print(phases[-2].report(), flush=True)
        phases.append(None)

    threading.Thread(target=answer_lines, daemon=True).start()
    options = [("grpc.enable_retries", 0), ("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}", options=options) as channel:
        stub, n = services.CallsStub(channel), 0
        while phase := phases[-1]:
            payload, n, start = PAYLOADS[n % 2], n + 1, time.monotonic()
            try:
                if stub.Echo(pb.EchoRequest(payload=payload), timeout=CALL_SECONDS).payload != payload:
                    phase.errors.append("a wrong answer")
            except grpc.RpcError as error:
                phase.errors.append(f"{error.code()} {error.details()}")
            phase.latencies.append((time.monotonic() - start) * 1000)
            time.sleep(0.001)


main()
