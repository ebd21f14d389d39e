"""Department and class: of which part of the company a document and each of its rows is."""

from collections.abc import Sequence

from hub.errors import Rejected
from hub.model.documents import Document
from mappings.netsuite.reading import SALES, Seen
from mappings.netsuite.rows import rows_of
from mappings.netsuite.words import Directory, Segments, unlike


def misplaced(document: Document, revision: str, records: Sequence[Seen], directory: Directory) -> int:
    """How many records and rows are of another department or class than was told.

    Of a record that does not hold this telling nothing is said, nor where the options name what NetSuite has not.
    """
    told = [one for one in records if one.revision == revision]
    try:
        of_all = directory.segments(document)
        of_rows: dict[str, Segments] = {}
        if document.kind in SALES:
            of_rows = {row.key: directory.segments(document, row.sold_as) for row in rows_of(document)}
    except Rejected:
        return 0
    headers = sum(unlike(of_all, one.segments) for one in told)
    return headers + sum(
        unlike(of_rows[row.key], row.segments)
        for one in told
        for row in one.rows
        if row.key is not None and row.key in of_rows
    )
