"""grpc-go's interop programs judge both roles by the fourteen core cases of the gRPC interop suite."""

import os
import re
import sys
from pathlib import Path

from process import WORK, Server, roles, run

CASES = """
    empty_unary large_unary client_streaming server_streaming ping_pong empty_stream timeout_on_sleeping_server
    cancel_after_begin cancel_after_first_response status_code_and_message special_status_message unimplemented_method
    unimplemented_service custom_metadata
""".split()
CLIENT = f"{WORK}/bin/interop-client"
SERVER = f"{WORK}/bin/interop-server --port=0"
SECONDS = 20  # for one case

# Bytes that a case puts on the wire at least, so that a client that does nothing does not pass. The deadline of
# timeout_on_sleeping_server may pass before anything is sent.
LEAST_BYTES = dict.fromkeys(CASES, 300) | {
    "large_unary": 271_828 + 314_159,
    "client_streaming": 74_922,
    "server_streaming": 93_058,
    "ping_pong": 74_922 + 93_058,
    "cancel_after_first_response": 27_182 + 31_415,
    "timeout_on_sleeping_server": 0,
}


def bytes_on_lo():
    """What has passed over this network namespace's `lo` so far."""
    return int(re.search(r"lo:\s*(\d+)", Path("/proc/self/net/dev").read_text())[1])


def direction(title, server, client):
    """Runs every case with a client process of its own; returns whether all passed."""
    failed = 0
    with Server(server) as running:
        for case in CASES:
            flags = f"--server_host=127.0.0.1 --server_port={running.port} --test_case={case}"
            before = bytes_on_lo()
            passed, output = run(f"{client} {flags}", SECONDS)
            talked = bytes_on_lo() - before
            if not passed or talked < LEAST_BYTES[case]:
                failed += 1
                print(f"FAILED  {case} ({talked} bytes on the wire)\n{output[-1000:]}", flush=True)
    print(f"interop: {title}: {len(CASES) - failed} passed, {failed} failed", flush=True)
    return failed == 0


def main():
    # grpc-go's server tells its port only in its log.
    os.environ["GRPC_GO_LOG_SEVERITY_LEVEL"] = "info"
    judged = roles(__doc__, server=SERVER, client=CLIENT)
    verdicts = [
        direction("its client, the server under judgement", judged.server, CLIENT),
        direction("the client under judgement, its server", SERVER, judged.client),
    ]
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
