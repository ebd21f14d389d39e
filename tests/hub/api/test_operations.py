"""docs/operations.md and the dashboard name the metrics that there are, and all of them."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from hub.api.metrics import Figures, families
from hub.steps.hub import Hub
from hub.steps.measuring import Measures
from hub.store.views.completeness import Checked
from hub.store.views.gauges import Cursor, HubGauges, InboxGauges, Loss, TargetGauges

DOCS = Path(__file__).parents[3] / "docs"
AT = "2026-11-02T11:00:00.000000Z"
FULL = Measures(
    at=datetime(2026, 11, 2, 12, tzinfo=UTC),
    inbox=InboxGauges(1, AT, {"shop": AT}, (Cursor("shop", "orders", AT),), {"shop": 1}),
    hub=HubGauges((TargetGauges("erp", slots=5),), {"USD": 1}, {"rejected": 1}, AT, 1, 1, {}),
    losses={"shop": Loss(2, ("1",))},
    beats_s={("shop", "orders"): 60.0},
    disk_free_bytes=1,
    checks=(Checked("shop", "2026-11-01", "2026-11-02", AT, 2, 1, 1, 1, "00"),),
)


def rows() -> list[tuple[str, str, str]]:
    """Each metric as the document has it: name, labels, what it says."""
    found = []
    for family in families(FULL):
        labels = " ".join(family.samples[0].labels)
        found.append((family.name, labels, family.documentation))
    found.append(("orderhub_webhook_deliveries_total", "channel outcome", "Deliveries that came to this process."))
    found.append(("orderhub_http_request_seconds", "method route status", "How long requests took, by route."))
    return found


def test_the_document_has_a_row_for_every_metric_in_its_own_words() -> None:
    text = (DOCS / "operations.md").read_text()

    table = re.findall(r"^\| `(orderhub_\w+)` \| ([^|]*?) \| ([^|]*) \|$", text, re.M)

    assert table == [(name, labels and f"`{labels}`", words) for name, labels, words in rows()]


def test_every_query_of_the_dashboard_names_metrics_that_exist(hub: Hub) -> None:
    figures = Figures(hub)
    shown = set(re.findall(r"^# TYPE (\w+)", figures.text().decode(), re.M))
    known = {name for name, _, _ in rows()} | shown
    known |= {f"orderhub_http_request_seconds_{end}" for end in ("bucket", "count", "sum")}
    panels = json.loads((DOCS / "grafana-dashboard.json").read_text())["panels"]
    queries = [one["expr"] for panel in panels for one in panel["targets"]]

    named = {name for query in queries for name in re.findall(r"\b(?:orderhub|process)_\w+", query)}

    assert queries
    assert all(re.search(r"\b(?:orderhub|process)_\w+", query) for query in queries)
    assert sorted(named - known) == []
    assert sorted({name for name, _, _ in rows()} - named - {"orderhub_http_request_seconds"}) == []
