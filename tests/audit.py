"""What is publicly known against the locked versions, by pip-audit: `python tests/audit.py`, or `make audit`.

Exit status: 0 nothing is known, 1 something is, 3 not run. A service that does not answer, or that does not know what
everybody knows, is no clean bill: it is first asked for a version with known vulnerabilities.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
KNOWN: Final = "jinja2==2.10"  # CVE-2019-10906 and others
ANSWERS_S: Final = 600
PASSED, FOUND, NOT_RUN = 0, 1, 3


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    out: str
    err: str


Ask = Callable[[Path], Answer]


def pip_audit(requirements: Path, environ: Mapping[str, str] = os.environ) -> Answer:
    """What pip-audit says of these versions; it downloads and installs none of them."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(requirements), "--no-deps", "--disable-pip"]
    options = ["--format", "json", "--progress-spinner", "off", "--timeout", "15"]
    try:
        ran = subprocess.run(
            [*command, *options], capture_output=True, text=True, timeout=ANSWERS_S, env=dict(environ), check=False
        )
    except subprocess.TimeoutExpired:
        return Answer(NOT_RUN, "", f"no answer in {ANSWERS_S} s")
    return Answer(ran.returncode, ran.stdout, ran.stderr)


def audit(requirements: Path, ask: Ask = pip_audit) -> tuple[int, list[str]]:
    """The exit status, and what to print."""
    with tempfile.TemporaryDirectory() as folder:
        known = Path(folder) / "known.txt"
        known.write_text(f"{KNOWN}\n")
        if (found := _dependencies(ask(known))) is None or not any(one.get("vulns") for one in found):
            return NOT_RUN, [f"not run: the vulnerability data cannot be had, or lack what is known of {KNOWN}"]
    answer = ask(requirements)
    if (found := _dependencies(answer)) is None:
        said = answer.err.strip().splitlines() or [f"status {answer.status}"]
        return NOT_RUN, [f"not run: {said[-1]}"]
    bad = [(one, vuln) for one in found for vuln in one.get("vulns", ())]
    lines = [
        f"{one['name']} {one['version']}: {vuln['id']}; mended in {', '.join(vuln['fix_versions']) or 'no version yet'}"
        for one, vuln in bad
    ]
    skipped = [f"not run for {one['name']}: {one['skip_reason']}" for one in found if "skip_reason" in one]
    if bad:
        return FOUND, [*lines, *skipped]
    if skipped or not found or answer.status != 0:
        return NOT_RUN, skipped or [f"not run: pip-audit looked at {len(found)} and ended with {answer.status}"]
    return PASSED, [f"passed: nothing is known against the {len(found)} locked versions"]


def _dependencies(answer: Answer) -> list[dict[str, Any]] | None:
    """What was looked at; None: it did not come to that."""
    try:
        found: list[dict[str, Any]] = json.loads(answer.out)["dependencies"]
    except (ValueError, LookupError, TypeError):
        return None
    return found


def main() -> int:
    status, lines = audit(ROOT / "requirements.txt")
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return status


if __name__ == "__main__":
    sys.exit(main())
