"""What a reconciliation's codes mean in words that a finance person uses, and what to do about each."""

from typing import Any, Final

from hub.model.causes import CauseCode
from hub.model.cutoff import CutoffList, CutoffRow, CutoffWhy
from hub.model.money import EXPONENTS, format_minor
from hub.model.postings import PostingCause
from hub.model.reconciliation import Cause, ChangeCode, Kind, Pair

CAUSE: Final = {
    CauseCode.NEVER_CAPTURED: "Never captured",
    CauseCode.ERP_DELETED: "Deleted in the ERP",
    CauseCode.ENTERED_TWICE: "Entered twice",
    CauseCode.ENTERED_IN_ERP_ALONE: "Entered in the ERP alone",
    CauseCode.ROUNDING: "Rounding",
    CauseCode.TAX_BASE: "Taxed otherwise by the ERP",
    CauseCode.CHANNEL_EDIT: "Changed in the channel since",
    CauseCode.HAND_EDIT: "Edited by hand in the ERP",
    CauseCode.TAX_RECOMPUTED: "Tax computed anew in the ERP",
    CauseCode.ADOPTED: "Booked otherwise before the hub",
    CauseCode.UNBOOKED_REFUND: "Refund not booked",
    CauseCode.HELD_ORDER: "Held, not posted",
    CauseCode.CUT_OFF: "Booked into another period",
    CauseCode.FX: "Booked in another currency",
    CauseCode.WRONG_ENTITY: "Booked in another company",
    CauseCode.NOT_SENT_YET: "Not sent yet",
    CauseCode.IN_DOUBT: "Sent, without an answer",
    CauseCode.WRONG_ACCOUNT: "Posted to another account",
    CauseCode.CONVERSION: "Rounding of the conversion",
}

MEANING: Final = {
    CauseCode.NEVER_CAPTURED: "The channel lists it; the hub never received it, so nobody booked it.",
    CauseCode.ERP_DELETED: "The hub posted it and read it back; since then it was voided or deleted in the ERP.",
    CauseCode.ENTERED_TWICE: "The ERP holds the hub's document and a second one that names the same order.",
    CauseCode.ENTERED_IN_ERP_ALONE: "Somebody typed it into the ERP; no document of the hub stands behind it.",
    CauseCode.ROUNDING: "The ERP rounded the tax by a few minor units when it booked the document.",
    CauseCode.TAX_BASE: "The ERP computed another tax than the channel charged, when it booked the document.",
    CauseCode.CHANNEL_EDIT: "The order was edited or cancelled in the channel after the version that the hub has.",
    CauseCode.TAX_RECOMPUTED: "The tax of the ERP's document is another one than was read back; nothing else of it is.",
    CauseCode.HAND_EDIT: "The ERP's document was changed by hand after the hub had posted it.",
    CauseCode.ADOPTED: "An older integration booked it, otherwise than the hub would have; the hub adopted it so.",
    CauseCode.UNBOOKED_REFUND: "The channel paid money back; no credit memo was booked for it.",
    CauseCode.HELD_ORDER: "The hub has it and waits for a person before posting it, or the ERP refused it.",
    CauseCode.CUT_OFF: "The two sides date the same thing in different months.",
    CauseCode.FX: "The two sides have the same thing in different currencies.",
    CauseCode.WRONG_ENTITY: "The two sides have the same thing in different companies.",
    CauseCode.NOT_SENT_YET: "The hub has decided to post it and has not done so yet.",
    CauseCode.IN_DOUBT: "The hub sent it and got no answer; it looks for it before it sends again.",
    CauseCode.WRONG_ACCOUNT: "The ERP posted the same amount to an account that the hub did not mean.",
    CauseCode.CONVERSION: "The amounts agree; converted into the company's currency, they are off by a cent a line.",
}

TO_DO: Final = {
    CauseCode.NEVER_CAPTURED: "Pull the channel (orderhub sync), or import the order; it then posts by itself.",
    CauseCode.ERP_DELETED: "Ask who voided it. A mistake: post it again. On purpose: cancel it in the channel too.",
    CauseCode.ENTERED_TWICE: "Void the document that was typed in; keep the one with the hub's key.",
    CauseCode.ENTERED_IN_ERP_ALONE: "Find out what it is. Of an order: link it. Of none: void it or accept it.",
    CauseCode.ROUNDING: "Nothing: it is within the tolerance. Book it to the rounding account if it adds up.",
    CauseCode.TAX_BASE: "Compare the ERP's tax code for this order with what the channel charged; correct the mapping.",
    CauseCode.CHANNEL_EDIT: "Import the order again; the hub amends the document.",
    CauseCode.TAX_RECOMPUTED: "Set the channel's tax again in the ERP, and look for what computes it anew there.",
    CauseCode.HAND_EDIT: "Ask who edited it and why. Undo it in the ERP, or make the same change in the channel.",
    CauseCode.ADOPTED: "Compare it with the order in the channel; correct the ERP's document where it is wrong.",
    CauseCode.UNBOOKED_REFUND: "Import the order again: the refund is captured, and its credit memo posts by itself.",
    CauseCode.HELD_ORDER: "Open the exception, do what it says and release it: all orders of one cause go together.",
    CauseCode.CUT_OFF: "Move it into the right month, or accept the cut-off: it comes back in the other month.",
    CauseCode.FX: "Correct the document's currency in the ERP.",
    CauseCode.WRONG_ENTITY: "Move the document to the right company.",
    CauseCode.NOT_SENT_YET: "Let the hub finish sending, then reconcile again.",
    CauseCode.IN_DOUBT: "Wait until the hub has looked for it, then reconcile again; do not type it in by hand.",
    CauseCode.WRONG_ACCOUNT: "Correct the account of the item or tax code in the ERP, or map it in the hub.",
    CauseCode.CONVERSION: "Nothing: it is within the tolerance.",
}

UNEXPLAINED: Final = "Unexplained"
UNEXPLAINED_MEANING: Final = "The amounts differ and nothing that anybody recorded says why."
UNEXPLAINED_TO_DO: Final = "Look at each of these orders before you close the month: they are listed first below."

KIND: Final = {
    Kind.MISSING_IN_HUB: "missing in the hub",
    Kind.MISSING_IN_ERP: "missing in the ERP",
    Kind.UNKNOWN_TO_CHANNEL: "unknown to the channel",
    Kind.DUPLICATE_IN_ERP: "twice in the ERP",
    Kind.AMOUNT: "other amount",
    Kind.CURRENCY: "other currency",
    Kind.ENTITY: "other company",
    Kind.PERIOD: "other period",
    Kind.STATUS: "amounts agree, status does not",
}

CHANGE: Final = {
    ChangeCode.NEW_IN_CHANNEL: "New in the channel's statement",
    ChangeCode.GONE_FROM_CHANNEL: "No longer in the channel's statement",
    ChangeCode.CHANGED_IN_CHANNEL: "Changed in the channel",
    ChangeCode.CAPTURED_SINCE: "Came to the hub after the sign-off",
    ChangeCode.LATE_FACT: "Late: belongs to an earlier month that is closed",
    ChangeCode.MOVED_OUT: "No longer counted in this month",
    ChangeCode.RELEASED: "Was held; released since",
    ChangeCode.TYPED_IN: "Typed into the ERP by hand",
    ChangeCode.POSTED_SINCE: "Posted by the hub after the sign-off",
    ChangeCode.VOIDED: "Voided or deleted in the ERP",
    ChangeCode.EDITED_BY_HAND: "Edited by hand in the ERP",
    ChangeCode.AMENDED_BY_HUB: "Amended by the hub",
    ChangeCode.RESTATED: "Another figure, and nothing recorded says why",
}

CUTOFF: Final = {
    CutoffList.SHIPPED_NOT_INVOICED: "Shipped, not invoiced",
    CutoffList.INVOICED_NOT_SHIPPED: "Invoiced, not shipped",
    CutoffList.DELIVERED_NOT_RECOGNISED: "Delivered, revenue not recognised",
    CutoffList.REFUND_WITHOUT_CREDIT_MEMO: "Refunded without a credit memo",
    CutoffList.UNSETTLED_CLEARING: "Clearing not settled",
    CutoffList.LATE_FACT: "Late facts",
}

CUTOFF_MEANING: Final = {
    CutoffList.SHIPPED_NOT_INVOICED: "The goods left by the month's end; by then the ERP has no invoice, or less.",
    CutoffList.INVOICED_NOT_SHIPPED: "The ERP has the invoice; by the month's end it has no shipment for it.",
    CutoffList.DELIVERED_NOT_RECOGNISED: "The goods arrived by the month's end; their revenue is still deferred.",
    CutoffList.REFUND_WITHOUT_CREDIT_MEMO: "Given back by the month's end; the ERP has no credit memo for it by then.",
    CutoffList.UNSETTLED_CLEARING: "In payment clearing at the month's end: no payout has it, or has it otherwise.",
    CutoffList.LATE_FACT: "Belongs to a month that was closed when it came, and is booked in another.",
}

CUTOFF_WHY: Final = {
    CutoffWhy.HELD: "held",
    CutoffWhy.NOT_SENT: "not sent yet",
    CutoffWhy.IN_DOUBT: "sent, without an answer",
    CutoffWhy.REJECTED: "the ERP refused it",
    CutoffWhy.DATED_LATER: "dated",
    CutoffWhy.NOT_DECIDED: "nothing decided: replay the order",
    CutoffWhy.NOT_CALLED_FOR: "the order no longer calls for it",
    CutoffWhy.NO_REFUND_KNOWN: "the channel told of no refund that it belongs to",
    CutoffWhy.ORDER_UNKNOWN: "the order itself is missing or does not translate",
    CutoffWhy.NOT_SETTLED: "no payout has it",
    CutoffWhy.SETTLED_OTHERWISE: "a payout has another amount of it",
    CutoffWhy.NOT_IN_BOOKS: "a payout has what was never captured or refunded here",
    CutoffWhy.MOVED_OUT: "booked on",
    CutoffWhy.MOVED_IN: "belongs to",
}

LEFT_OUT: Final = {
    "cost": "the ERP alone values stock",
    "foreign": "the hub posts nothing to it",
}

SIDE: Final = {"channel": "Channel", "hub": "Hub", "erp": "ERP"}

PAIR: Final = {Pair.CHANNEL_HUB: "Channel → hub", Pair.HUB_ERP: "Hub → ERP"}


def money(minor: int, currency: str, *, signed: bool = False) -> str:
    """For people, with a real minus sign; `signed` puts a plus before what is more."""
    plain = format_minor(minor, currency) if currency in EXPONENTS else f"{minor:,} minor units of {currency}"
    if plain.startswith("-"):
        return "−" + plain[1:]
    return f"+{plain}" if signed and minor else plain


def cut_because(row: CutoffRow) -> str:
    """Why the other half is missing: `held (unmapped item)`, `dated 2026-11-01`."""
    detail = row.detail.replace("_", " ")
    if row.why in (CutoffWhy.DATED_LATER, CutoffWhy.MOVED_OUT, CutoffWhy.MOVED_IN):
        return f"{CUTOFF_WHY[row.why]} {detail}"
    return f"{CUTOFF_WHY[row.why]} ({detail})" if detail else CUTOFF_WHY[row.why]


def because(cause: Cause, currency: str) -> str:
    """The evidence as a sentence."""
    seen = cause.evidence

    def amount(name: str) -> str:
        return money(seen.get(name, 0), currency)

    match cause.code:
        case CauseCode.NEVER_CAPTURED:
            known = ", of an order that the hub knows" if seen.get("order_known") else ""
            return (
                f"The channel states {amount('channel_minor')} on {seen.get('date')}{known};"
                " the hub has no record of it."
            )
        case CauseCode.UNBOOKED_REFUND if "channel_minor" in seen:
            return f"The channel states refund {seen.get('refund')} of {amount('channel_minor')} on {seen.get('date')}."
        case CauseCode.CHANNEL_EDIT:
            return (
                f"The channel's version is of {seen.get('channel_modified_at')},"
                f" the hub's of {seen.get('hub_modified_at')}."
                f" Taken out by edits and cancellation: {amount('channel_taken_out_minor')} in the channel,"
                f" {amount('hub_taken_out_minor')} in the hub."
            )
        case CauseCode.HAND_EDIT if "hub_minor" in seen:
            return (
                f"Written: {amount('hub_minor')}. Before it was read back a person had changed document"
                f" {seen.get('ref')}: {amount('readback_minor')} (version {seen.get('readback_version')})."
            )
        case CauseCode.HAND_EDIT:
            return (
                f"Read back after posting: {amount('readback_minor')} (version {seen.get('readback_version')})."
                f" Now: {amount('erp_minor')} (version {seen.get('version')}"
                f"{', last changed by a person' if seen.get('by_hand') else ''}), document {seen.get('ref')}."
            )
        case CauseCode.TAX_RECOMPUTED:
            tax = "tax_" if "erp_tax_minor" in seen else ""
            return (
                f"Tax read back after posting: {amount(f'readback_{tax}minor')}"
                f" (version {seen.get('readback_version')})."
                f" Now: {amount(f'erp_{tax}minor')} (version {seen.get('version')}), document {seen.get('ref')}."
            )
        case CauseCode.ERP_DELETED:
            gone = (
                f"Now it is voided ({seen['voided_ref']})."
                if "voided_ref" in seen
                else "Now the ERP lists no such document."
            )
            return f"Read back after posting: {amount('readback_minor')}, dated {seen.get('readback_date')}. {gone}"
        case CauseCode.ENTERED_TWICE:
            return (
                f"The hub's own document {seen.get('own_document')} stands; document {seen.get('ref')}"
                f" of {amount('erp_minor')} names the same order{_by_hand(seen)}."
            )
        case CauseCode.ENTERED_IN_ERP_ALONE:
            named = f", which names “{seen['reference']}”" if seen.get("reference") else ""
            return f"Document {seen.get('ref')} of {amount('erp_minor')}{named}{_by_hand(seen)}."
        case CauseCode.ROUNDING:
            return f"Sent: {amount('hub_minor')}. Read back right after: {amount('readback_minor')}."
        case CauseCode.ADOPTED:
            return f"As the order calls for: {amount('hub_minor')}. As it was adopted: {amount('readback_minor')}."
        case CauseCode.TAX_BASE:
            return f"Tax sent: {amount('hub_tax_minor')}. Tax read back right after: {amount('readback_tax_minor')}."
        case CauseCode.CUT_OFF:
            moved = (
                f" The hub moved it from {seen['original_date']}: that period was closed."
                if "original_date" in seen
                else ""
            )
            return (
                f"Dated {seen.get('left_date')} on one side and {seen.get('right_date')} on the other,"
                f" where it is {amount('elsewhere_minor')}.{moved}"
            )
        case CauseCode.FX if "left_figure" in seen:
            return (
                f"{money(seen.get('left_figure', 0), str(seen.get('left_currency')))} on one side,"
                f" {money(seen.get('right_figure', 0), str(seen.get('right_currency')))} on the other."
            )
        case CauseCode.FX | CauseCode.WRONG_ENTITY if "left" in seen:
            return f"Expected in {seen.get('left')}, posted in {seen.get('right')}, document {seen.get('ref')}."
        case CauseCode.FX | CauseCode.WRONG_ENTITY:
            return f"In {seen.get('left_entity')} on one side, in {seen.get('right_entity')} on the other."
        case CauseCode.HELD_ORDER | CauseCode.IN_DOUBT | CauseCode.NOT_SENT_YET | CauseCode.UNBOOKED_REFUND:
            why = f" ({seen['exception']})" if seen.get("exception") else ""
            before = f"; in the ERP before: {amount('readback_minor')}" if "readback_minor" in seen else ""
            worth = f": {amount('hub_minor')}" if "hub_minor" in seen else ""
            return f"State in the hub: {seen.get('state') or 'nothing decided'}{why}{worth}{before}."
        case CauseCode.WRONG_ACCOUNT | CauseCode.CONVERSION:  # of accounts alone: see because_posted
            return MEANING[cause.code]


def because_posted(cause: PostingCause, currency: str) -> str:
    """The evidence of a cause in the books as a sentence."""
    seen = cause.evidence

    def amount(name: str) -> str:
        return money(seen.get(name, 0), currency)

    match cause.code:
        case CauseCode.HELD_ORDER | CauseCode.IN_DOUBT | CauseCode.NOT_SENT_YET:
            why = f" ({seen['exception']})" if seen.get("exception") else ""
            taken = f"; taken by the ERP so far: {amount('taken_minor')}" if seen.get("taken_minor") else ""
            return f"State in the hub: {seen.get('state')}{why}; expected here: {amount('expected_minor')}{taken}."
        case CauseCode.ERP_DELETED:
            return (
                f"The ERP took it, {amount('taken_minor')} here, dated {seen.get('date')};"
                " now it has no posting of it in these months."
            )
        case CauseCode.ENTERED_TWICE:
            return (
                f"Document {seen.get('ref')} of {seen.get('date')} posts {amount('erp_minor')} here{_by_hand(seen)};"
                f" the hub's own document {seen.get('own_document')} stands beside it."
            )
        case CauseCode.ENTERED_IN_ERP_ALONE:
            key = f" ({seen['key']})" if seen.get("key") else ""
            posts = f"of {seen.get('date')} posts {amount('erp_minor')} here"
            return f"Document {seen.get('ref')}{key} {posts}{_by_hand(seen)}."
        case CauseCode.WRONG_ACCOUNT:
            return (
                f"Document {seen.get('ref')} has {amount('erp_minor')} here and was told {amount('taken_minor')};"
                f" the rest is on {seen.get('other_account')}."
            )
        case CauseCode.CONVERSION:
            return f"Both have {amount('erp_minor')}, in {seen.get('lines')} lines of document {seen.get('ref')}."
        case _:
            return because(Cause(cause.code, cause.amount_minor, seen), currency)


def _by_hand(seen: dict[str, Any]) -> str:
    return ", last changed by a person" if seen.get("by_hand") else ""
