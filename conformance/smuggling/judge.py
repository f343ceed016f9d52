"""Puts malformed and ambiguous HTTP/1.1 requests to a live server, each between two good ones. The first has to be
answered, the bad one refused and the connection closed; the one behind must never run."""

import base64
import itertools
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from process import STRANGER, TLS, Server, roles
from rows import HOST, JSON, LENGTH, LINE, MESSAGE, TWINS, all_rows, chunked, request
from wire import Connection

LEAST_ROWS = 100
CLOSE_SECONDS = 5
MEMORY_LIMIT_MIB = 64
PIPELINED = 10_000
ids = itertools.count()


def good(call_id, text):
    """A good call of Echo with this id and payload."""
    content = json.dumps({"payload": base64.b64encode(text.encode()).decode()}).encode()
    fields = f"x-call-id: {call_id}\r\ncontent-length: {len(content)}\r\n".encode()
    return LINE + HOST + JSON + fields + b"\r\n" + content


def base64_of(text):
    return base64.b64encode(text.encode()).decode()


def calls(port, *call_ids):
    """How many calls with each id have reached a handler."""
    with Connection(port) as connection:
        for call_id in call_ids:
            content = json.dumps({"callId": call_id}).encode()
            line = b"POST /conformance.v1.Calls/Observe HTTP/1.1\r\n"
            length = f"content-length: {len(content)}\r\n".encode()
            connection.send([line + HOST + JSON + length + b"\r\n" + content])
        found = connection.answers(len(call_ids))
    return [json.loads(answer.content).get("calls", 0) for answer in found]


def check(faults, fault, holds):
    if not holds:
        faults.append(fault)


def put(port, bad, pieces):
    """Sends a good request, the bad one and a good one; returns what the judge goes by."""
    before, wrong, behind = (f"{name}-{next(ids)}" for name in ("before", "bad", "behind"))
    stream = good(before, before) + bad.replace(b"@bad@", wrong.encode()) + good(behind, behind)
    with Connection(port) as connection:
        connection.send(pieces(stream))
        closed = connection.ends_within(CLOSE_SECONDS)
        return before, connection.answers(99 if closed else 2, 0.5), closed, calls(port, before, wrong, behind)


def judge_bad(port, bad, statuses, pieces):
    """What is wrong with how the server took a bad request; nothing when nothing is."""
    before, found, closed, ran = put(port, bad, pieces)
    faults = []
    got = [answer.status for answer in found]
    check(faults, f"answered {got}; expected 200 and one of {sorted(statuses)}", len(got) == 2 and got[0] == 200)
    if len(found) == 2 and got[0] == 200:
        check(faults, f"answered {got[1]}; expected one of {sorted(statuses)}", got[1] in statuses)
        check(faults, "the answer before it is another's", found[0].payload() == base64_of(before))
        check(faults, "the refusal does not say that the connection closes", found[1].fields.get("connection") == "close")
    check(faults, "the connection stays open", closed)
    check(faults, f"ran before, itself, behind it {ran} times; expected 1, 0, 0", ran == [1, 0, 0])
    return faults


def judge_twin(port, odd, pieces):
    """What is wrong with how the server took an odd request that is right."""
    ids_of = [f"{name}-{next(ids)}" for name in ("before", "odd", "behind")]
    before, itself, behind = ids_of
    stream = good(before, before) + odd.replace(b"@bad@", itself.encode()) + good(behind, behind)
    with Connection(port) as connection:
        connection.send(pieces(stream))
        found = connection.answers(3)
        faults = []
        check(faults, f"answered {[answer.status for answer in found]}", [answer.status for answer in found] == [200] * 3)
        if not faults:
            payloads = [base64_of(before), json.loads(MESSAGE)["payload"], base64_of(behind)]
            check(faults, "an answer is another's", [answer.payload() for answer in found] == payloads)
    ran = calls(port, *ids_of)
    check(faults, f"ran {ran} times; expected once each", ran == [1, 1, 1])
    return faults


# To a request that does not end, or would not for a long time.
REFUSALS = 400, 408, 413


def slow(port, beginning, trickle, seconds):
    """What is wrong with how the server took a request that does not end."""
    call_id = f"slow-{next(ids)}"
    with Connection(port) as connection:
        start = time.monotonic()
        connection.send([beginning.replace(b"@bad@", call_id.encode())])
        while time.monotonic() < start + seconds and not connection.ends_within(1):
            connection.send([trickle])
        faults = []
        check(faults, f"still open after {seconds} s", connection.ended.is_set())
        statuses = [answer.status for answer in connection.answers(99, 0.1)]
        check(faults, f"answered {statuses}; expected {REFUSALS} or nothing", all(status in REFUSALS for status in statuses[:1]))
        check(faults, f"answered {statuses}; expected one answer at most", len(statuses) < 2)
    check(faults, "it reached a handler", calls(port, call_id) == [0])
    return faults


def half(length):
    return LINE + HOST + JSON + b"x-call-id: @bad@\r\ncontent-length: %d\r\n" % length


# (row, what, the beginning, what comes each second, seconds until the server has to have closed)
SLOW = [
    ("P08", "half a head", LINE + HOST, b"", 15),
    ("P08", "a head, a byte each second", LINE + HOST + b"name: ", b"x", 15),
    ("P08", "half a body", half(4096) + b"\r\n" + b'{"payload":"', b"", 25),
    ("P08", "a body, a byte each second", half(4096) + b"\r\n" + b'{"payload":"', b"Y", 25),
    ("P03", "a chunk of 2^64 - 1 bytes", chunked(b"ffffffffffffffff\r\n" + MESSAGE), b"", 25),
    ("P11", "nothing after 100-continue", half(4096) + b"expect: 100-continue\r\n\r\n", b"", 25),
]


def pipelining(server):
    """Ten thousand requests at once: all answered, in their order, and not held in memory."""
    one = request(fields=LENGTH).replace(b"x-call-id: @bad@\r\n", b"")
    with Connection(server.port) as connection:
        connection.send([one * 100] * (PIPELINED // 100))
        deadline = time.monotonic() + 20
        status_line = b"HTTP/1.1 200 "
        while connection.received.count(status_line) < PIPELINED and time.monotonic() < deadline:
            if connection.ended.wait(0.05):
                break
        answered = connection.received.count(status_line)
    faults = []
    check(faults, f"{answered} of {PIPELINED} answered", answered == PIPELINED)
    status = dict(line.split(":", 1) for line in Path(f"/proc/{server.pid}/status").read_text().splitlines())
    peak = int(status["VmHWM"].split()[0]) / 1024
    check(faults, f"{peak:.0f} MiB are more than {MEMORY_LIMIT_MIB}", peak <= MEMORY_LIMIT_MIB)
    return faults


def splitting(port):
    """A handler that is made to reply with metadata that would be a field and a response of its own."""
    value = base64.b64encode(b"a\r\nset-cookie: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n").decode()
    content = json.dumps({"initial": [{"key": "x-a", "value": value}]}).encode()
    line = b"POST /conformance.v1.Calls/EchoMetadata HTTP/1.1\r\n"
    with Connection(port) as connection:
        connection.send([line + HOST + JSON + b"content-length: %d\r\n\r\n" % len(content) + content])
        found = connection.answers(1)
        faults = []
        check(faults, "no answer or more than one", len(connection.answers(2, 0.3)) == 1)
        fields = found[0].fields if found else {}
        check(faults, "the value became a field", "set-cookie" not in fields)
        check(faults, "the call went well", bool(found) and found[0].status >= 400)
    return faults


def whole(stream):
    return [stream]


def bytewise(stream):
    """Byte by byte as far as that is quick, the rest of a long one at once."""
    return [stream[at : at + 1] for at in range(min(len(stream), 1500))] + [stream[1500:]]


def jobs(server):
    """(row, what, what to run) of all."""
    port = server.port
    for row, what, beginning, trickle, seconds in SLOW:
        yield row, what, lambda b=beginning, t=trickle, s=seconds: slow(port, b, t, s)
    for row, what, statuses, bad in all_rows():
        for how in (whole, bytewise):
            yield row, f"{what}, {how.__name__}", lambda b=bad, s=statuses, h=how: judge_bad(port, b, s, h)
    for row, what, odd in TWINS:
        for how in (whole, bytewise):
            yield row, f"right: {what}, {how.__name__}", lambda o=odd, h=how: judge_twin(port, o, h)
    yield "P06", "metadata that splits a response", lambda: splitting(port)
    yield "P09", f"{PIPELINED} requests at once", lambda: pipelining(server)


def attempt(job):
    try:
        return job()
    except Exception as error:  # a judge goes on
        return [f"{type(error).__name__} {error}"]


def main():
    judged = roles(__doc__, f"{STRANGER} {TLS}")
    passed = failed = 0
    with Server(judged.server) as server, ThreadPoolExecutor(16) as pool:
        wanted = [job for job in jobs(server) if job[0] in judged.only or not judged.only]
        results = pool.map(lambda job: attempt(job[2]), wanted)
        for (row, what, _), faults in zip(wanted, results):
            passed, failed = passed + (not faults), failed + bool(faults)
            if faults:
                print(f"FAILED  {row} {what}: {'; '.join(faults)}", flush=True)
        alive = server.alive()
    if not alive:
        print("FAILED  the server ended during the run")
    rows = len(list(all_rows()))
    print(f"smuggling: {passed} passed, {failed} failed: {rows} bad requests and {len(TWINS)} right ones, each in two ways", flush=True)
    return 0 if alive and not failed and rows >= LEAST_ROWS else 1


if __name__ == "__main__":
    sys.exit(main())
