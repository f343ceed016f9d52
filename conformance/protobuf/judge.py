"""protobuf's conformance suite judges the codecs of calls: proto2 and proto3, binary and JSON, required and recommended."""

import os
import re
import sys
from pathlib import Path

from process import WORK, roles, run

# Cases of the suite of version 33.2 for proto2 and proto3. Its text format, which no call has, is left out.
CASES = 2779
SECONDS = 120
SUMMARY = re.compile(r"(\d+) successes, (\d+) skipped, (\d+) expected failures, (\d+) unexpected failures")


def main():
    judged = roles(__doc__, server=None)
    if judged.strangers:
        print("protobuf: the suite has no stranger here to be tried on")
        return 0
    testee = Path(os.environ.get("CARGO_TARGET_DIR", WORK / "target")) / "release/testee"
    reports = WORK / "logs/protobuf"
    reports.mkdir(parents=True, exist_ok=True)
    failing = reports / "failing_tests.txt"
    failing.unlink(missing_ok=True)
    # No list of failures is given: a case that fails is a failure.
    command = f"{WORK}/protobuf/runner --enforce_recommended --maximum_edition PROTO3 --output_dir {reports} {testee}"
    passed, output = run(command, SECONDS)
    if failing.exists():
        print("\n".join(f"FAILED  {line}" for line in failing.read_text().splitlines()))
    # The first line is that of the binary and JSON suite, the second that of the text format.
    summary = SUMMARY.search(output)
    if not summary:
        print(f"protobuf: no verdict\n{output[-2000:]}")
        return 1
    successes, skipped, expected, unexpected = map(int, summary.groups())
    print(f"protobuf: {successes} passed, {unexpected} failed, {skipped} skipped, of {CASES}", flush=True)
    return 0 if passed and successes == CASES and skipped == expected == unexpected == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
