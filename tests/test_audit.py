"""The audit says "passed" only where it looked: without its data it was not run."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.audit import FOUND, NOT_RUN, PASSED, Answer, audit, pip_audit

OLD = {"name": "jinja2", "version": "2.10", "vulns": [{"id": "PYSEC-2019-217", "fix_versions": ["2.10.1"]}]}
CLEAN = {"name": "rich", "version": "15.0.0", "vulns": []}
BAD = {"name": "rich", "version": "15.0.0", "vulns": [{"id": "CVE-1", "fix_versions": []}]}
SKIPPED = {"name": "rich", "skip_reason": "not found"}
DOWN = Answer(1, "", "ERROR: could not connect")


def said(status: int, *found: dict[str, Any]) -> Answer:
    return Answer(status, json.dumps({"dependencies": found, "fixes": []}), "")


@pytest.mark.parametrize(
    ("of_known", "of_ours", "status", "line"),
    [
        (said(1, OLD), said(0, CLEAN), PASSED, "passed: nothing is known against the 1 locked versions"),
        (said(1, OLD), said(1, BAD), FOUND, "rich 15.0.0: CVE-1; mended in no version yet"),
        (said(1, OLD), said(1, BAD, SKIPPED), FOUND, "rich 15.0.0: CVE-1; mended in no version yet"),
        (said(1, OLD), said(0, CLEAN, SKIPPED), NOT_RUN, "not run for rich: not found"),
        (said(1, OLD), said(0), NOT_RUN, "not run: pip-audit looked at 0 and ended with 0"),
        (said(1, OLD), DOWN, NOT_RUN, "not run: ERROR: could not connect"),
        (DOWN, said(0, CLEAN), NOT_RUN, "not run: the vulnerability data"),
        (said(0, {**OLD, "vulns": []}), said(0, CLEAN), NOT_RUN, "not run: the vulnerability data"),
        (
            said(0, {"name": "jinja2", "skip_reason": "not found"}),
            said(0, CLEAN),
            NOT_RUN,
            "not run: the vulnerability",
        ),
    ],
    ids=["clean", "found", "found and skipped", "skipped", "nothing looked at", "goes down", "down", "empty", "mirror"],
)
def test_the_answers_verdict(tmp_path: Path, of_known: Answer, of_ours: Answer, status: int, line: str) -> None:
    ours = tmp_path / "requirements.txt"

    found, lines = audit(ours, lambda asked: of_ours if asked == ours else of_known)

    assert found == status
    assert lines[0].startswith(line)
    assert ("passed" in "".join(lines)) == (status == PASSED)


def test_without_a_network_pip_audit_itself_has_not_run(tmp_path: Path) -> None:
    """The real program, behind a proxy that is not there."""
    ours = tmp_path / "requirements.txt"
    ours.write_text("rich==15.0.0\n")
    nowhere = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"), "http://127.0.0.1:9")
    environ = {**os.environ, **nowhere, "NO_PROXY": "", "no_proxy": "", "HOME": str(tmp_path)}

    status, lines = audit(ours, lambda asked: pip_audit(asked, environ))

    assert status == NOT_RUN
    assert lines[0].startswith("not run: ")
