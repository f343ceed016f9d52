"""What every caller calls, and what has to come back. The numbers are those of conformance.v1.Calls in calls.proto."""

import base64

SERVICE = "conformance.v1.Calls"
PAYLOAD = bytes(range(250, 256)) + "far, ünlike near".encode()
COUNT, SIZE = 3, 300
STREAM = [bytes((n + i) % 251 for i in range(SIZE)) for n in range(COUNT)]
CODE, CODE_NAME, CONNECT_CODE = 5, "NotFound", "not_found"
MESSAGE = "no such page: 10 % of ünlikely"


def base64_text(payload):
    """Bytes as canonical JSON has them."""
    return base64.b64encode(payload).decode()


ECHO = {"payload": base64_text(PAYLOAD)}
DOWNLOAD = {"count": COUNT, "size": SIZE}
FAIL = {"code": CODE, "message": MESSAGE}
REPLIES = [{"payload": base64_text(payload)} for payload in STREAM]


def same(what, got, expected):
    """Fails when something else came back."""
    if got != expected:
        raise AssertionError(f"{what}: expected {str(expected)[:300]}, got {str(got)[:300]}")
