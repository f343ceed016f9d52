"""Attacks a live server row by row. Each time the server has to stay small, an honest client has to be served without one
error meanwhile, and honest traffic of the attack's shape has to pass."""

import json
import subprocess
import sys
import time
from pathlib import Path

from process import PYTHON, Server, roles
from rows import rows

MEMORY_LIMIT_MIB = 64
# How much more of the processor an attack may cost the server than the attacker. What is below the floor is too little to
# compare; the part of the honest calls, which may be most of it, is known only within the error.
CPU_RATIO, CPU_FLOOR_SECONDS, CPU_ERROR = 10, 0.5, 0.5
STRANGER = f"{PYTHON} grpcio/server.py"


class Honest:
    """The well-behaved client, in its own process for as long as the `with` block lasts."""

    def __init__(self, port):
        command = [PYTHON, Path(__file__).with_name("honest.py"), str(port)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def phase(self):
        """Ends a phase; returns what was seen in it."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def peak_mib(pid):
    """The most memory that was resident since the process started, in MiB."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def cpu_seconds(pid):
    """The time that the threads of the process have spent on processors, in and outside the kernel."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


class Cost:
    """What a phase cost the server and this process, the attacker, in seconds on a processor."""

    def __init__(self, pid):
        self.pid = pid
        self.started = cpu_seconds(pid), time.process_time()

    def end(self):
        return cpu_seconds(self.pid) - self.started[0], time.process_time() - self.started[1]


def attempt(act, port):
    """Runs an attack or a twin; returns (whether all was right, what was seen)."""
    try:
        return True, act(port) or "all answered"
    except Exception as error:  # a judge goes on
        return False, f"{type(error).__name__} {error}"


def judge(server_command, row):
    """One row against a fresh server. Prints what was seen; returns whether all was right."""
    row_id, title, attack, twin_title, twin = row
    faults = []
    peak = twin_peak = server_cpu = attacker_cpu = float("nan")
    with Server(server_command) as server:
        with Honest(server.port) as honest:
            cost = Cost(server.pid)
            time.sleep(1)
            alone = honest.phase()
            alone_cpu, _ = cost.end()
            cost = Cost(server.pid)
            attack_right, attack_seen = attempt(attack, server.port)
            time.sleep(0.3)  # so that a quick attack's aftermath is felt, too
            beside = honest.phase()
            if server.alive():
                server_cpu, attacker_cpu = cost.end()
                peak = peak_mib(server.pid)
        twin_right, twin_seen = attempt(twin, server.port)
        if server.alive():
            twin_peak = peak_mib(server.pid)
        else:
            faults.append("the server ended")
    # The honest calls are not the attack's doing.
    honest_cpu = alone_cpu / max(alone["calls"], 1) * beside["calls"]
    server_cpu -= honest_cpu
    if not attack_right:
        faults.append("the attack was not answered as it should be")
    if not twin_right:
        faults.append("the twin suffered")
    if peak > MEMORY_LIMIT_MIB:
        faults.append(f"{peak:.0f} MiB are more than {MEMORY_LIMIT_MIB}")
    elif twin_peak > MEMORY_LIMIT_MIB:
        faults.append(f"{twin_peak:.0f} MiB after the twin are more than {MEMORY_LIMIT_MIB}")
    if server_cpu > max(CPU_RATIO * attacker_cpu, CPU_FLOOR_SECONDS + CPU_ERROR * honest_cpu):
        faults.append(f"{server_cpu:.1f} s of work for {attacker_cpu:.1f} s of the attacker's")
    if beside["errors"] or not beside["calls"]:
        faults.append(f"the honest client saw {beside['errors'] or 'nothing'}")
    print(f"{'FAILED ' if faults else 'ok     '} {row_id} {title}{': ' if faults else ''}{'; '.join(faults)}")
    work = f"{max(server_cpu, 0):.1f} s of work for {attacker_cpu:.1f} s of the attacker's"
    print(f"          attack: {attack_seen}; peak {peak:.0f} MiB; {work}")
    print(f"          beside it: {beside['calls']} calls, p99 {beside['p99_ms']} ms (alone {alone['p99_ms']} ms)")
    print(f"          twin, {twin_title}: {twin_seen}; peak {twin_peak:.0f} MiB", flush=True)
    return not faults


def main():
    judged = roles(__doc__, server=STRANGER)
    verdicts = [judge(judged.server, row) for row in rows if row[0] in judged.only or not judged.only]
    print(f"hostile: {verdicts.count(True)} passed, {verdicts.count(False)} failed")
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
