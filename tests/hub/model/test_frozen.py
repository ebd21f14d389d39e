import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest

from hub.model import frozen
from hub.model.order import PartyRef


def test_under_test_a_value_refuses_to_be_changed() -> None:
    assert frozen.ENFORCED

    with pytest.raises(FrozenInstanceError):
        PartyRef("customer-1", "a").version = "b"  # type: ignore[misc]


def test_equal_values_are_one_key_of_a_dictionary() -> None:
    assert {PartyRef("customer-1", "a"): 1, PartyRef("customer-1", "a"): 2} == {PartyRef("customer-1", "a"): 2}


def test_a_running_program_compares_and_hashes_values_all_the_same() -> None:
    """Without the variable that tests set, as `orderhub` runs."""
    said = (
        "from hub.model import frozen; from hub.model.order import PartyRef as K\n"
        "print(frozen.ENFORCED, K('a', '1') == K('a', '1'), len({K('a', '1'), K('a', '1'), K('a', '2')}))\n"
        "print(K('a', '1').__dataclass_params__.frozen, hasattr(K('a', '1'), '__dict__'))"
    )

    run = subprocess.run([sys.executable, "-c", said], env={}, capture_output=True, text=True, check=True)

    assert run.stdout == "False True 2\nFalse False\n"
