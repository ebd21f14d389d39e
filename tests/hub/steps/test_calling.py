"""What a call's answer means."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest

from hub.model.documents import Document, DocumentKey, DocumentKind
from hub.model.intents import Action, ReadBack, Write
from hub.steps import calling
from hub.store.sending import Claimed

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Emptied:
    """An ERP that deleted what it was told."""

    def read_back(self, documents: Sequence[Document]) -> list[ReadBack | None]:
        return [None for _ in documents]


@pytest.mark.parametrize(("action", "matches"), [(Action.VOID, True), (Action.CREATE, False)])
def test_what_is_gone_is_as_told_when_it_was_to_be_void(action: Action, matches: bool) -> None:
    document = Document(DocumentKey("dep-webshop-1"), DocumentKind.DEPOSIT, "main", "USD", date(2026, 3, 2))
    claimed = Claimed(1, "webshop", "1", Write(action, document, "r1"), 1, NOW)

    answer = calling.read_back(Emptied(), [claimed], NOW, settles_s=0)

    assert [judged for _, _, _, judged in answer.read] == [matches]
