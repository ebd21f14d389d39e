"""make soak: chaos for as long as it is told, on a PostgreSQL and a Valkey of its own.

    python -m tests.soak --orders 5000 --minutes 60 --seed 7 --format json

Exit status: 0 nothing lost, twice or unexplained; 1 something was.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hub.rehearsal.chaos import run
from hub.settings import load_settings
from tests.postgres_server import client_programs, running_postgres
from tests.valkey_server import running_valkey


def main(arguments: Sequence[str] | None = None) -> int:
    os.environ.setdefault("ORDERHUB_FROZEN", "1")
    asked = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="orderhub-soak-") as folder:
        home = asked.home or Path(folder) / "home"
        settings = load_settings(None, home, {})
        with running_postgres() as database_url, running_valkey() as broker:
            answer = run(
                settings,
                home,
                database_url,
                broker,
                orders=asked.orders,
                minutes=asked.minutes,
                seed=asked.seed,
                settle_s=asked.settle_s,
                late_s=asked.late_s,
                blind=asked.blind,
                any_key=asked.any_key or asked.blind,
                programs=None if asked.no_loss else client_programs(),
                tell=lambda line: sys.stderr.write(f"{line}\n"),
            )
    numbers = ("orders", "minutes", "seed", "settle-s", "late-s")
    given = [f"--{name} {getattr(asked, name.replace('-', '_'))}" for name in numbers]
    given += [f"--{name}" for name in ("any-key", "blind", "no-loss") if getattr(asked, name.replace("-", "_"))]
    again = f"make soak ARGS='{' '.join(given)}'"
    answer |= {"seed": asked.seed, "again": again}
    if asked.format == "json":
        sys.stdout.write(json.dumps(answer, indent=2) + "\n")
    else:
        sys.stdout.writelines(f"{name}: {value}\n" for name, value in answer.items() if name != "violations")
        sys.stdout.writelines(f"! {one}\n" for one in answer["violations"])
    if answer["violations_count"]:
        sys.stderr.write(f"broken; the same again: {again}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make soak ARGS=", description=__doc__)
    add = parser.add_argument
    add("--orders", type=int, default=500)
    add("--minutes", type=float, default=10.0, help="how long things go wrong")
    add("--seed", type=int, default=7)
    add("--settle-s", type=int, default=20, help="after which an absent document is believed to be absent")
    add("--late-s", type=int, default=15, help="how late a commit comes at most")
    add("--home", type=Path, help="a folder that is not there yet, kept afterwards: configuration, logs, the run")
    add("--any-key", action="store_true", help="the ERP keeps no key unique: nothing but the hub prevents doubles")
    add("--blind", action="store_true", help="workers resend what got no answer, to see it found")
    add("--no-loss", action="store_true", help="the stores are not lost and put back from a backup in the middle")
    add("--format", choices=("table", "json"), default="table")
    return parser


if __name__ == "__main__":
    sys.exit(main())
