"""Autobahn's testsuite judges WebSockets in both roles: its fuzzing client the server, its fuzzing server the client."""

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from process import PEERS, WORK, Server, roles, run

PYTHON27 = os.environ.get("PYTHON27", "python2.7")
SITE = WORK / "autobahn"
REPORTS = WORK / "logs/autobahn"
SERVER = f"node {WORK}/node/websocket_echo.mjs"
CLIENT = f"node {WORK}/node/websocket_client.mjs"
SECONDS = 100  # for one section
AGENT = "judged"

# Each section with the number of its cases, so that none is missing unnoticed. 8 is empty, 9 measures speed, 11 does not
# exist, 12 and 13 are about compression, which is not negotiated.
SECTIONS = {"1": 16, "2": 11, "3": 7, "4": 10, "5": 20, "6": 145, "7": 37, "10": 1}
# Where RFC 6455 leaves the choice: whether what came before an error is still answered (3 to 5), and how soon text that is
# not UTF-8 is refused (6.4).
NON_STRICT = "3.2 3.3 3.4 4.1.3 4.1.4 4.1.5 4.2.3 4.2.4 4.2.5 5.15 6.4.1 6.4.2 6.4.3 6.4.4".split()
# A large message before the close, and close codes that nobody has given a meaning.
INFORMATIONAL = "7.1.6 7.13.1 7.13.2".split()


class Wstest:
    """The suite's program, in its own process for as long as the `with` block lasts."""

    def __init__(self, mode, section, spec):
        folder = REPORTS / f"{mode}-{section}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        spec = {"outdir": str(folder), "cases": [f"{section}.*"], "exclude-cases": [], "exclude-agent-cases": {}} | spec
        (folder / "spec.json").write_text(json.dumps(spec))
        self.index = folder / "index.json"
        self.command = [PYTHON27, "-m", "autobahntestsuite.wstest", "-m", mode, "-s", folder / "spec.json", "--webport", "0"]
        self.log = folder / "wstest.log"

    def __enter__(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | {"PYTHONPATH": str(SITE)},
            )
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=10)

    def listens(self, port):
        """Waits until it takes connections."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"wstest does not listen: {self.log.read_text(errors='replace')[-1000:]}")

    def verdicts(self):
        """(case, what is wrong with it or nothing) of the section."""
        if not self.index.exists():
            return [("no report", self.log.read_text(errors="replace")[-1000:])]
        agents = list(json.loads(self.index.read_text()).values())
        cases = agents[0] if len(agents) == 1 else {}
        return [(case, fault(case, found["behavior"], found["behaviorClose"])) for case, found in cases.items()]


def fault(case, behavior, behavior_close):
    """What is wrong with these verdicts on a case; nothing when nothing is."""
    allowed = {"OK"}
    allowed |= {"NON-STRICT"} if case in NON_STRICT else set()
    allowed |= {"INFORMATIONAL"} if case in INFORMATIONAL else set()
    if behavior in allowed and behavior_close in allowed:
        return ""
    return f"{behavior}, on closing {behavior_close}"


def of_server(command):
    """Yields (section, verdicts) of a server."""
    with Server(command) as server:
        for section in SECTIONS:
            servers = [{"agent": AGENT, "url": f"ws://127.0.0.1:{server.port}"}]
            with Wstest("fuzzingclient", section, {"servers": servers}) as wstest:
                wstest.process.wait(timeout=SECONDS)
                yield section, wstest.verdicts()
        if not server.alive():
            yield "", [("", "the server ended during the run")]


def of_client(command):
    """Yields (section, verdicts) of a client."""
    for section in SECTIONS:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        url = f"ws://127.0.0.1:{port}"
        with Wstest("fuzzingserver", section, {"url": url}) as wstest:
            wstest.listens(port)
            ended_well, output = run(shlex.join([*shlex.split(command), f"--url={url}", f"--agent={AGENT}"]), SECONDS)
            verdicts = wstest.verdicts()
            yield section, verdicts if ended_well else [*verdicts, ("the client failed", output[-500:])]


def judge(role, sections):
    """Prints what failed; returns whether all was as it should be."""
    passed = failed = 0
    for section, verdicts in sections:
        wrong = [(case, why) for case, why in verdicts if why]
        missing = SECTIONS.get(section, 0) - sum(1 for _, why in verdicts if not why) - len(wrong)
        for case, why in [*wrong, *([(section, f"{missing} cases were not judged")] if missing > 0 else [])]:
            print(f"FAILED  {role} {case}: {why}", flush=True)
        passed += sum(1 for _, why in verdicts if not why)
        failed += len(wrong) + max(missing, 0)
    print(f"autobahn: {role}: {passed} passed, {failed} failed, of {sum(SECTIONS.values())}", flush=True)
    return not failed and passed == sum(SECTIONS.values())


def main():
    judged = roles(__doc__, SERVER, CLIENT, PEERS / "websocket-echo", PEERS / "websocket-client")
    with ThreadPoolExecutor(2) as pool:  # most of the time is spent waiting
        server = pool.submit(judge, "server", of_server(judged.server))
        client = pool.submit(judge, "client", of_client(judged.client))
        return 0 if all([server.result(), client.result()]) else 1


if __name__ == "__main__":
    sys.exit(main())
