"""h2spec judges the server's HTTP/2 and HPACK by its 146 cases, strict ones included."""

import sys
import xml.etree.ElementTree as xml

from process import WORK, Server, roles, run

CASES = 146
CASE_SECONDS = 2  # h2spec's patience with one answer
SECONDS = 240
STRANGER = f"{WORK}/bin/h2c"


def main():
    judged = roles(__doc__, server=STRANGER)
    report = WORK / "h2spec.xml"
    report.unlink(missing_ok=True)
    with Server(judged.server) as running:
        command = f"{WORK}/bin/h2spec --strict --host=127.0.0.1 --port={running.port} --path=/"
        _, output = run(f"{command} --timeout={CASE_SECONDS} --junit-report={report}", SECONDS)
        alive = running.alive()
    if not report.exists():
        print(f"h2spec: no report\n{output[-2000:]}")
        return 1
    cases = xml.parse(report).getroot().findall(".//testcase")
    # A case that is skipped has not been judged.
    failed = [case for case in cases if any(case.find(kind) is not None for kind in ("failure", "error", "skipped"))]
    for case in failed:
        reason = " ".join(" ".join(case.itertext()).split())
        print(f"FAILED  {case.get('package')} {case.get('classname')}: {reason}")
    if not alive:
        print("FAILED  the server ended during the run")
    print(f"h2spec: {len(cases) - len(failed)} passed, {len(failed)} failed, of {CASES}", flush=True)
    return 0 if alive and not failed and len(cases) == CASES else 1


if __name__ == "__main__":
    sys.exit(main())
