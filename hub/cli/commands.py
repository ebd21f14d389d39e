"""orderhub: the command line. Each command parses, calls one step or one view, and renders."""

import typer

from hub.cli import (
    adopting,
    bank,
    books,
    closing,
    completing,
    crosswalk,
    exceptions,
    importing,
    orders,
    payouts,
    privacy,
    reconciling,
    records,
    rehearsing,
    replaying,
    saving,
    serving,
    system,
    tokens,
)
from hub.cli.door import ConfigOption, FormatOption, Given, HomeOption

app = typer.Typer(
    name="orderhub",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 100},
    help="Pulls orders from channels, keeps an ERP in step with them, and explains every cent.",
)


@app.callback()
def orderhub(
    ctx: typer.Context, home: HomeOption = None, config: ConfigOption = None, form: FormatOption = None
) -> None:
    ctx.obj = Given(home, config, form)


for group in (
    system,
    saving,
    tokens,
    serving,
    importing,
    adopting,
    orders,
    payouts,
    bank,
    records,
    exceptions,
    crosswalk,
    privacy,
    books,
    reconciling,
    closing,
    completing,
    replaying,
    rehearsing,
):
    group.register(app)
