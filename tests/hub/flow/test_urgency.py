"""urgency: by when documents must be known."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from hub.flow.urgency import period_end

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("on", "end"),
    [
        (date(2026, 10, 1), datetime(2026, 11, 1, 4, tzinfo=UTC)),  # summer time ends later that day
        (date(2026, 10, 31), datetime(2026, 11, 1, 4, tzinfo=UTC)),
        (date(2026, 12, 31), datetime(2027, 1, 1, 5, tzinfo=UTC)),
        (date(2028, 2, 29), datetime(2028, 3, 1, 5, tzinfo=UTC)),
    ],
)
def test_a_period_ends_with_its_month_where_the_entity_is(on: date, end: datetime) -> None:
    assert period_end(on, NEW_YORK) == end


def test_the_last_month_of_all_has_an_end() -> None:
    assert period_end(date(9999, 12, 5), ZoneInfo("UTC")) == datetime(9999, 12, 31, tzinfo=UTC)
