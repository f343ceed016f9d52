"""The machine that a benchmark runs on: what it is called and how busy it is."""

import os
import platform
import re
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")


def busy_seconds():
    """Time that all cores spent on anything but idling, time taken by the hypervisor included."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICKS


def describe(*tools):
    """One line: processor, cores, kernel, compiler and the tools' versions."""
    versions = ", ".join(version(tool) for tool in ("rustc", *tools))
    return f"{cpu_model()}, {os.cpu_count()} cores, Linux {platform.release()}, {versions}"


def cpu_model():
    match = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return match[1] if match else platform.machine()


def version(tool):
    """The first line of what a tool says about itself, without its date. (wrk knows no --version and fails.)"""
    flag = "-v" if tool == "wrk" else "--version"
    output = subprocess.run([tool, flag], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    return re.split(r" [(\[]", output.strip().split("\n")[0])[0]


def locked(package):
    """A package's name and its version in the benchmarks' Cargo.lock."""
    match = re.search(rf'name = "{package}"\nversion = "([^"]+)"', (HERE / "Cargo.lock").read_text())
    return f"{package} {match[1] if match else '?'}"


def warning(foreign):
    """What to think of numbers that were taken while others used that share of the machine."""
    rough = ": the numbers are rough, run again when it is idle." if foreign > 0.05 else "."
    return f"Other processes used {foreign:.0%} of the machine meanwhile{rough}"
