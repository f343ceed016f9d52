"""Interleaved rounds: every row gets its turn in each, so that what else the machine does hits all alike."""

import os
import statistics
import sys
import time
from dataclasses import dataclass

from machine import busy_seconds


@dataclass
class Turn:
    """What one row did in one round: the server's CPU time per call in microseconds, and calls per second."""

    cpu_us: float
    rate: float


def measure(rows, count):
    """Rows are {name: (server, load)}; load() makes calls and returns how many and in how many seconds.

    Gives {name: [Turn]} and the share of all cores that others used meanwhile. Each round begins with another row."""
    turns = {name: [] for name in rows}
    names, foreign, wall = list(rows), 0.0, 0.0
    for number in range(count):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            server, load = rows[name]
            machine, cpu, clock, own = busy_seconds(), server.cpu_seconds(), time.monotonic(), load_seconds()
            calls, seconds = load()
            cpu, own = server.cpu_seconds() - cpu, load_seconds() - own
            foreign += max(0.0, busy_seconds() - machine - cpu - own)
            wall += time.monotonic() - clock
            turns[name].append(Turn(cpu / calls * 1e6, calls / seconds))
        print(f"round {number + 1} of {count}", file=sys.stderr)
    return turns, foreign / (wall * os.cpu_count())


def load_seconds():
    """CPU time of the load generators that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def cpu(turns):
    """Median, lowest and highest CPU time per call."""
    return spread([turn.cpu_us for turn in turns])


def relative(turns, base):
    """Median, lowest and highest of the ratios inside one round: CPU time per call beside another row's."""
    return spread([turn.cpu_us / other.cpu_us for turn, other in zip(turns, base)])


def spread(values):
    return statistics.median(values), min(values), max(values)


def rate(turns):
    return statistics.median(turn.rate for turn in turns)
