"""The report as a person sees it: in a real browser, on a desk and on a phone."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, FloatRect, Locator, Page, sync_playwright

from tests.hub.flow.sides import IN_JUNE, Sides

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the report of a month of accidents in two currencies."""
    sides = Sides()
    for number in range(1001, 1031):
        sides.order(str(number), goods_minor=1_000_000)
    sides.order("2001", currency="JPY", entity="jp")
    del sides.hub["1002"], sides.erp["1002"]
    sides.at_erp("1003", {"goods_minor": 990000}, by_hand=True, version=2)
    sides.not_posted("1004", "held", "unmapped_item")
    sides.typed_in("H1", sides.hub["1005"].row)
    sides.typed_in("H2", replace(sides.hub["1006"].row, channel="", order="", subject_id="H2"), reference="x" * 300)
    sides.at_erp("1007", {"date": IN_JUNE})
    sides.at_erp("2001", {"tax_minor": 901})
    sides.reconcile(tmp_path_factory.mktemp("report"))
    folder = tmp_path_factory.getbasetemp() / "report0" / "2026-05" / "report.html"
    return folder.as_uri()


def _open(browser: Browser, report: str, width: int, height: int) -> tuple[Page, list[str]]:
    page = browser.new_page(viewport={"width": width, "height": height}, java_script_enabled=True)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: said.append(request.url) if request.url != report else None)
    page.goto(report)
    return page, said


def _box(part: Locator) -> FloatRect:
    box = part.bounding_box()
    assert box is not None
    return box


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (375, 800)])
def test_the_page_fits_the_screen_and_asks_for_nothing(browser: Browser, report: str, width: int, height: int) -> None:
    page, said = _open(browser, report, width, height)

    page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert all(box["height"] < 80 for box in map(_box, page.locator("caption").all()))
    assert said == []
    page.close()


def test_the_headline_says_whether_it_ties(browser: Browser, report: str) -> None:
    page, _ = _open(browser, report, 1280, 900)

    assert page.locator(".verdict.bad .head").inner_text() == "It does not tie: unexplained 1 JPY of sales."
    assert page.locator("svg.waterfall").count() == 2
    page.close()


def test_an_order_opens_by_keyboard_and_shows_its_evidence(browser: Browser, report: str) -> None:
    page, _ = _open(browser, report, 1280, 900)
    order = page.locator("details", has_text="Edited by hand in the ERP")
    evidence = order.locator("td", has_text="Read back after posting: 10,008.25 USD")
    assert not evidence.is_visible()

    order.locator("summary").focus()
    page.keyboard.press("Enter")

    assert evidence.is_visible()
    page.close()


def test_the_waterfalls_figures_stay_in_the_picture(browser: Browser, report: str) -> None:
    page, _ = _open(browser, report, 1280, 900)

    outside = page.evaluate(
        """[...document.querySelectorAll("svg.waterfall")].flatMap(svg => {
            const frame = svg.getBoundingClientRect();
            return [...svg.querySelectorAll("text, rect")].filter(part => {
                const box = part.getBoundingClientRect();
                return box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1;
            }).map(part => part.textContent || part.outerHTML);
        })"""
    )

    assert outside == []
    page.close()


def test_ink_is_dark_enough_on_its_paper(browser: Browser, report: str) -> None:
    """WCAG 2.1, 1.4.3: a contrast of 4.5 to 1, of every text against the nearest ground behind it."""
    page, _ = _open(browser, report, 1280, 900)
    page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")

    faint = page.evaluate(_FAINT)

    assert faint == []
    page.close()


_FAINT = """(() => {
    const parse = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
        .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
    const ground = node => {
        for (; node; node = node.parentElement) {
            const colour = parse(getComputedStyle(node).backgroundColor);
            if (colour.length < 4 || colour[3] > 0) return colour;
        }
        return [255, 255, 255];
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const faint = [];
    while (walker.nextNode()) {
        const node = walker.currentNode.parentElement;
        if (!walker.currentNode.textContent.trim() || node.closest("svg")) continue;
        const [a, b] = [light(parse(getComputedStyle(node).color)), light(ground(node))].sort((x, y) => y - x);
        if ((a + .05) / (b + .05) < 4.5) faint.push(walker.currentNode.textContent.trim().slice(0, 60));
    }
    return faint;
})()"""
