"""Words are written as the texts that they are, and no others are read."""

import pytest
from pydantic import TypeAdapter, ValidationError

from hub.model.words import Word


class Colour(Word):
    RED = "red"
    BLUE = "blue"


COLOURS = TypeAdapter(tuple[Colour, ...])


def test_words_are_written_as_texts() -> None:
    assert COLOURS.dump_json((Colour.RED, Colour.BLUE)) == b'["red","blue"]'


def test_a_text_is_read_as_the_word_itself() -> None:
    assert COLOURS.validate_json('["blue"]')[0] is Colour.BLUE


def test_a_text_that_is_none_of_the_words_is_refused() -> None:
    with pytest.raises(ValidationError, match="Input should be 'red' or 'blue'"):
        COLOURS.validate_json('["green"]')


def test_the_schema_shown_to_callers_lists_the_words() -> None:
    schema = TypeAdapter(Colour).json_schema(mode="serialization")

    assert schema == {"enum": ["red", "blue"], "title": "Colour", "type": "string"}
