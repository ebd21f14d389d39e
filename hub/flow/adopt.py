"""adopt: which of an order's planned documents the ERP has already, under no key of ours.

Pure, and by name and id alone: amounts are compared, never matched by. What fits in two ways is for a person.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.model.adoption import Doubt, ErpDocument, Link, Unsure
from hub.model.documents import Document, DocumentKey, DocumentKind, document_key
from hub.model.order import OrderKey

MONEY_IN: Final = frozenset({DocumentKind.PAYMENT, DocumentKind.DEPOSIT})
"""Two names for money that came in: which of them it is depends on what was invoiced by then."""

SALES: Final = frozenset({DocumentKind.SALES_ORDER, DocumentKind.INVOICE, DocumentKind.CASH_SALE})
"""An order of which the ERP has one of these is in the ERP."""


@dataclass(slots=True)
class Paired:
    """An order's documents beside the ERP's."""

    links: list[Link] = field(default_factory=list)
    unsure: list[Unsure] = field(default_factory=list)
    absent: list[Document] = field(default_factory=list)  # planned, and nothing in the ERP is it

    @property
    def blocked(self) -> bool:
        """Whether a person must look before anything of the order is adopted."""
        return any(one.doubt is not Doubt.NOT_PLANNED for one in self.unsure)


def pair(
    order: OrderKey, planned: Sequence[Document], found: Sequence[ErpDocument], standing: Collection[DocumentKey]
) -> Paired:
    """Each planned document with the one in the ERP that names the same thing.

    By our key; else by the channel's id of its cause; else, of what is left, where a kind has one on either side.

    Args:
        found: documents that name this order.
        standing: keys under which the ERP was told something by us, or that were adopted before.
    """
    paired = Paired()
    foreign = [one for one in found if one.key not in standing]
    wanted = [document for document in planned if document.key not in standing]
    for kinds in _groups(planned, foreign):
        ours = [document for document in wanted if document.kind in kinds]
        theirs = [one for one in foreign if one.kind in kinds]
        doubled = [document.key for document in planned if document.kind in kinds and document.key in standing]
        _pair_group(order, ours, theirs, doubled, paired)
    if paired.links and not _is_sold(planned, paired, standing):
        paired.unsure += [Unsure(link.erp, Doubt.NO_SALE, (order,)) for link in paired.links]
    return paired


def _groups(planned: Sequence[Document], foreign: Sequence[ErpDocument]) -> list[frozenset[DocumentKind]]:
    kinds = dict.fromkeys([*(document.kind for document in planned), *(one.kind for one in foreign)])
    return list(dict.fromkeys(MONEY_IN if kind in MONEY_IN else frozenset({kind}) for kind in kinds))


def _pair_group(
    order: OrderKey,
    ours: list[Document],
    theirs: list[ErpDocument],
    doubled: Sequence[DocumentKey],
    paired: Paired,
) -> None:
    for names in (_by_key, _by_cause):
        for document in list(ours):
            named = [one for one in theirs if names(order, document, one)]
            if len(named) == 1:
                _link(order, document, named[0], paired)
                ours.remove(document)
                theirs.remove(named[0])
    if len(ours) == 1 and len(theirs) == 1 and not doubled:
        _link(order, ours.pop(), theirs.pop(), paired)
    for one in theirs:
        fits = ", ".join([*(document.key for document in ours), *doubled])
        doubt = Doubt.SEVERAL_DOCUMENTS if ours else Doubt.OURS_STANDS if doubled else Doubt.NOT_PLANNED
        paired.unsure.append(Unsure(one, doubt, (order,), fits))
    paired.absent += ours


def _by_key(_order: OrderKey, document: Document, one: ErpDocument) -> bool:
    return one.key == document.key


def _by_cause(order: OrderKey, document: Document, one: ErpDocument) -> bool:
    """The document names the channel's own id of the cause from which our key is made."""
    cause = () if one.kind is DocumentKind.SALES_ORDER else (one.external,)
    return bool(one.external) and document.key == document_key(document.kind, order.channel, order.external_id, *cause)


def _link(order: OrderKey, document: Document, one: ErpDocument, paired: Paired) -> None:
    if one.currency != document.currency and document.kind not in _FUNCTIONAL:
        paired.unsure.append(Unsure(one, Doubt.CURRENCY, (order,), f"{document.key} is in {document.currency}"))
    else:
        paired.links.append(Link(document, one))


_FUNCTIONAL: Final = frozenset({DocumentKind.FULFILMENT, DocumentKind.RETURN_RECEIPT})
"""Goods: an ERP may name the order's currency or its own on them."""


def _is_sold(planned: Sequence[Document], paired: Paired, standing: Collection[DocumentKey]) -> bool:
    return any(link.document.kind in SALES for link in paired.links) or any(
        document.kind in SALES and document.key in standing for document in planned
    )
