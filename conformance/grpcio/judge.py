"""grpcio judges both roles: its client calls the server under judgement, then the client under judgement calls its server."""

import sys

from process import PYTHON, Server, run, roles

MESSAGE_LIMIT = 17 << 20  # bytes: the largest payload, 16 MiB, and the message around it
CLIENT = f"{PYTHON} grpcio/client.py"
SERVER = f"{PYTHON} grpcio/server.py"
SECONDS = 90


def direction(title, server, client, names):
    """Runs the list of checks and prints what failed. Returns whether all of `names` passed."""
    with Server(f"{server} --message-limit={MESSAGE_LIMIT}") as running:
        passed, output = run(f"{client} --server_host=127.0.0.1 --server_port={running.port} --test_case=calls", SECONDS)
    lines = output.splitlines()
    good = {line.removeprefix("ok").strip() for line in lines if line.startswith("ok ")}
    absent = [name for name in names if name not in good]
    print(f"grpcio: {title}:", "\n".join(line for line in lines if not line.startswith("ok ")) or "nothing was printed")
    if absent:
        print(f"not passed, of the {len(names)} checks: {'; '.join(absent)}")
    sys.stdout.flush()
    return passed and not absent


def main():
    judged = roles(__doc__, server=SERVER, client=CLIENT)
    _, listed = run(f"{CLIENT} --server_port=0 --list", SECONDS)
    names = listed.splitlines()
    verdicts = [
        direction("its client, the server under judgement", judged.server, CLIENT, names),
        direction("the client under judgement, its server", SERVER, judged.client, names),
    ]
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
