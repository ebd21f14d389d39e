"""Asynchronous requests: accepted at once, done later, asked for by job, task and result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from erp_adapters.netsuite.account.errors import Refused, not_there
from erp_adapters.netsuite.account.service import Response, json_response

RUNS_S: Final = 2
JSON: Final = "application/json"


@dataclass(slots=True)
class Job:
    """One request that was accepted; `answer` is what it got, None while it is pending."""

    id: int
    due: datetime
    run: Callable[[], Response]
    answer: Response | None = None


class Jobs:
    """The account's jobs. A key is remembered for as long as the account is."""

    def __init__(self) -> None:
        self.jobs: dict[int, Job] = {}
        self._keys: dict[str, int] = {}

    def accept(self, key: str | None, run: Callable[[], Response], now: datetime) -> Response:
        """202 with the place of the job.

        Raises:
            Refused: a request with this key was accepted before; where that one is stands in the headers.
        """
        if key is not None and key in self._keys:
            raise Refused(
                400,
                "IDEMPOTENCY_ERROR",
                'A request with the same idempotency key is already submitted. See the "Location" header for a link to'
                " the previously submitted job",
                title="Conflict",
                headers=_at(self._keys[key]),
            )
        id = len(self.jobs) + 1
        self.jobs[id] = Job(id, now + timedelta(seconds=RUNS_S), run)
        if key is not None:
            self._keys[key] = id
        return Response(202, {"Content-Type": JSON, **_at(id)})

    def work(self, now: datetime) -> None:
        """Every job that is due has been done."""
        for job in self.jobs.values():
            if job.answer is None and job.due <= now:
                job.answer = job.run()

    def answer(self, path: str, base: str) -> Response:
        """A job, its task, or the answer that its request would have had.

        Raises:
            Refused: there is none.
        """
        parts = path.strip("/").split("/")
        job = self.jobs.get(int(parts[1])) if len(parts) > 1 and parts[1].isdigit() else None
        if job is None or parts[0] != "job":
            raise not_there(transaction=False)
        done = job.answer is not None
        here = f"{base}/async/v1/job/{job.id}"
        whole = {
            "links": [{"rel": "self", "href": here}],
            "completed": done,
            "id": str(job.id),
            "progress": "succeeded" if done else "pending",
        }
        match parts[2:]:
            case []:
                return json_response(200, whole | {"task": {"links": [{"rel": "self", "href": f"{here}/task"}]}}, JSON)
            case ["task"]:
                task = whole | {"links": [{"rel": "self", "href": f"{here}/task/1"}], "id": "1"}
                return json_response(200, {"items": [task], "count": 1, "hasMore": False, "totalResults": 1}, JSON)
            case ["task", "1"]:
                return json_response(
                    200,
                    whole | {"id": "1", "result": {"links": [{"rel": "self", "href": f"{here}/task/1/result"}]}},
                    JSON,
                )
            case ["task", "1", "result"] if job.answer is not None:
                return job.answer
        raise not_there(transaction=False)


def _at(id: int) -> dict[str, str]:
    return {"Preference-Applied": "respond-async", "Location": f"/services/rest/async/v1/job/{id}"}
