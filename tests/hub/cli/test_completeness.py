"""orderhub completeness: a line a channel, and the orders that differ."""

from tests.hub.cli.shop import Orderhub, order


def test_it_ends_in_a_line_that_says_what_is_missing(orderhub: Orderhub) -> None:
    orderhub("import", "shopify", orderhub.file([order(1001), order(1002)]))

    ran = orderhub("completeness", "2026-03", "--prove")

    assert ran.status == 0, ran.err
    assert "2 of 2" in ran.out
    assert "shopify: 2 orders, 0 missing, 0 late, digest " in ran.err


def test_it_answers_in_json_and_the_status_keeps_it(orderhub: Orderhub) -> None:
    orderhub("import", "shopify", orderhub.file([order(1001)]))

    answer = orderhub.json("completeness", "2026-03-02")
    status = orderhub.json("status")

    [one] = answer["channels"]
    assert (one["orders"], one["missing"], one["compared"]) == (1, 0, ["erp"])
    assert [(kept["channel"], kept["digest"]) for kept in status["completeness"]] == [("shopify", one["digest"])]


def test_days_that_are_none_are_refused(orderhub: Orderhub) -> None:
    ran = orderhub("completeness", "March")

    assert ran.status != 0
    assert "write 2026-10, 2026-10-05 or 2026-10-05..2026-10-07" in ran.err
