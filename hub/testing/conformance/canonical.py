"""What a translation is as JSON: the form of a sample's NAME.out.json."""

import json
from typing import Any

from hub.model.facts import adapter
from hub.model.order import PARTY
from hub.model.records import Translation


def canonical(found: Translation) -> dict[str, Any]:
    """Facts, parties and the paths of problems; what is not given is left out of a party."""
    parties = [json.loads(PARTY.dump_json(party)) for party in found.parties]
    return {
        "ignored": found.ignored,
        "facts": [
            {
                "kind": fact.kind,
                "order": str(fact.order),
                "external_id": fact.external_id,
                "modified_at": fact.modified_at.isoformat(),
                "occurred_at": fact.occurred_at.isoformat(),
                "body": json.loads(adapter(fact.kind).dump_json(fact.body)),
            }
            for fact in found.facts
        ],
        "parties": [{key: value for key, value in party.items() if value} for party in parties],
        "problems": [problem.path for problem in found.problems],
    }
