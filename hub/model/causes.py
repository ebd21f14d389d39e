"""Why two sides differ."""

from enum import StrEnum
from typing import Final


class CauseCode(StrEnum):
    """Why, each with evidence of its own."""

    NEVER_CAPTURED = "never_captured"
    ERP_DELETED = "erp_deleted"
    ENTERED_TWICE = "entered_twice"
    ENTERED_IN_ERP_ALONE = "entered_in_erp_alone"
    ROUNDING = "rounding"
    TAX_BASE = "tax_base"
    CHANNEL_EDIT = "channel_edit"
    HAND_EDIT = "hand_edit"
    TAX_RECOMPUTED = "tax_recomputed"
    ADOPTED = "adopted"
    UNBOOKED_REFUND = "unbooked_refund"
    HELD_ORDER = "held_order"
    CUT_OFF = "cut_off"
    FX = "fx"
    WRONG_ENTITY = "wrong_entity"
    NOT_SENT_YET = "not_sent_yet"
    IN_DOUBT = "in_doubt"
    WRONG_ACCOUNT = "wrong_account"
    CONVERSION = "conversion"


OF_ACCOUNTS: Final = frozenset({CauseCode.WRONG_ACCOUNT, CauseCode.CONVERSION})
"""Causes that only the books have: of no amount of a document as a whole."""
