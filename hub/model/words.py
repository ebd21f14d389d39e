"""`Word`: a closed set of words that facts and documents are written in."""

from enum import StrEnum
from typing import Any

from pydantic import GetCoreSchemaHandler


class Word(StrEnum):
    """Words that pydantic writes as the texts that they are.

    It asks any other enumeration's member for its `value`, a call of Python each: an order has thirty, and they took
    3 % of the time of an import (measured, 2026-11). What is read, and which words are refused, stays the same.
    """

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> Any:
        return {**handler(source), "serialization": {"type": "str"}}
