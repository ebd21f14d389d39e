"""A file that a person names: read whole, or refused in words."""

from pathlib import Path

import pytest

from hub.errors import Misconfigured
from hub.steps.files import content_of_file


def test_a_file_is_read_to_its_bound_and_refused_beyond_it(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes("sku,é".encode())

    assert content_of_file(file, 6) == b"sku,\xc3\xa9"
    with pytest.raises(Misconfigured, match="larger than 5 bytes: split it"):
        content_of_file(file, 5)


def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"none\.csv: cannot be read: No such file or directory"):
        content_of_file(tmp_path / "none.csv", 5)
