"""bank import|list|match: the bank's statements against the payouts."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.door import Door, cells, command, money, say, table
from hub.cli.exceptions import As
from hub.model.bank import Match
from hub.steps import bank
from hub.steps.answers import matching_answer


class Form(StrEnum):
    CSV = "csv"
    CAMT053 = "camt053"


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The bank's statements against the payouts.", no_args_is_help=True)
    app.add_typer(group, name="bank")

    @command(group, "import")
    def import_(
        door: Door,
        file: Annotated[Path, typer.Argument(help="A CAMT.053 statement, or a bank's CSV.")],
        form: Annotated[Form | None, typer.Option("--format", help="What it is. [as it looks]")] = None,
        account: Annotated[str | None, typer.Option("--account", help="Whose lines. [as the file says]")] = None,
        mapping: Annotated[str | None, typer.Option("--mapping", help="A CSV's columns: a name under `bank`.")] = None,
    ) -> None:
        """Keeps each booked line once and matches it with the payouts."""
        with door.hub() as hub:
            done = bank.import_statement(hub, file, form.value if form else None, account, mapping)
        door.show(asdict(done))
        say(
            f"lines read: {done.read}, new: {done.new}; of all lines payouts: {done.matched}, "
            f"ambiguous: {done.ambiguous}, no payout: {done.unmatched}"
        )

    @command(group, "list")
    def list_(
        door: Door,
        all_: Annotated[bool, typer.Option("--all", help="Also what is matched.")] = False,
    ) -> None:
        """Bank lines that are no payout or may be several, and payouts that the bank has not seen."""
        with door.hub() as hub:
            found = bank.matching(hub)
        shown = table(None, "line", "booked", "amount", "is", "text", right=("amount",), whole=("line", "booked"))
        for one in found.lines:
            if all_ or one.match is not Match.PAYOUT:
                named = ", ".join(f"{payout.channel}/{payout.payout}" for payout in one.payouts)
                words = f"{one.match}: {named}" if named else one.match
                amount = money(one.line.amount_minor, one.line.currency)
                shown.add_row(*cells(one.line.key[:8], one.line.on, amount, words, one.line.text or one.line.reference))
        for payout in found.unseen:
            amount = money(payout.amount_minor, payout.currency)
            shown.add_row(*cells(None, payout.on, amount, f"not seen: {payout.channel}/{payout.payout}", None))
        door.show(matching_answer(found, whole=all_), shown)

    @command(group, "match")
    def match_(
        door: Door,
        key: Annotated[str, typer.Argument(help="The line, as orderhub bank list names it.")],
        payout: Annotated[str | None, typer.Argument(help="CHANNEL/PAYOUT; none: the match is taken back.")] = None,
        by: As = "operator",
    ) -> None:
        """Says which payout a line is."""
        with door.hub() as hub:
            bank.say_match(hub, key, payout, by)
        door.show({"line": key, "payout": payout})
        say(f"{key} is {payout or 'no payout by anybody’s word'}")
