"""The configuration read and checked whole: every fault in it, with file and line."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from hub.settings.environment import Environment
from hub.settings.file import Fault, Located, NodePath, display_name, read_yaml
from hub.settings.parts import (
    SHIPPED,
    Alerts,
    Called,
    CaptureHold,
    Channel,
    CreditHold,
    Entity,
    Erp,
    Files,
    Holds,
    HubFile,
    Mail,
    PriceHold,
    Retention,
    is_variable,
)

CONNECTORS: Final = "orderhub.connectors"
ERP_ADAPTERS: Final = "orderhub.erp_adapters"
RESERVED_SLUG: Final = "erp"  # the target of what goes to the ERP, whatever its slug


def read(
    file: Path, environ: Mapping[str, str], needed: Mapping[str, Collection[str]]
) -> tuple[HubFile | None, list[Fault]]:
    """What the file says, None where that cannot be told, and its faults: its own first, in the order of its lines."""
    located = read_yaml(file)
    found = list(located.faults)
    hub_file = None
    if not found or located.tree is not None:
        try:
            hub_file = HubFile.model_validate(located.tree or {}, context={"folder": file.parent})
        except ValidationError as error:
            found += _faults_of(error, located)
        found += _references(located)
        found += _unset_secrets(located, environ, needed)
        found += _broken_files(located, file.parent)
    environment = Environment.of(environ)
    if environment.database_url is not None and environment.postgresql is None:
        found.append(Fault("environment", 1, "ORDERHUB_DATABASE_URL", "expected postgresql://USER@HOST/DATABASE"))
    in_order = sorted(dict.fromkeys(found), key=lambda fault: (fault.file != located.file, fault.file, fault.line))
    return hub_file, in_order


SETTING_NAMES: Final = sorted(
    {
        name
        for part in (
            HubFile,
            Entity,
            Channel,
            Retention,
            Erp,
            Files,
            Holds,
            PriceHold,
            CreditHold,
            CaptureHold,
            Alerts,
            Mail,
            Called,
        )
        for name in part.model_fields
    }
)


def _faults_of(error: ValidationError, located: Located) -> Iterator[Fault]:
    for problem in error.errors(include_url=False):
        path: NodePath = tuple(part for part in problem["loc"] if part != "[key]")
        match problem["type"]:
            case "missing":
                message = "required, not given"
            case "extra_forbidden":
                close = get_close_matches(str(path[-1]), SETTING_NAMES, n=1)
                message = "no such setting" + (f"; did you mean {close[0]!r}?" if close else "")
            case "value_error":
                message = problem["msg"].removeprefix("Value error, ")
            case _:
                message = problem["msg"][:1].lower() + problem["msg"][1:]
                # What stands in a wrong place may be a secret, or hold one.
                if "secrets" not in path and isinstance(problem["input"], str | int | Decimal | date):
                    message += f": {str(problem['input'])[:80]!r}"
        yield located.fault(path, message)


def _parts(located: Located, kind: str) -> list[tuple[NodePath, dict[str, Any]]]:
    """The dicts under a list of the file, whatever else is wrong with it."""
    listed = located.tree.get(kind) if isinstance(located.tree, dict) else None
    if isinstance(listed, dict):
        return [((kind,), listed)]
    return [((kind, index), part) for index, part in enumerate(listed or []) if isinstance(part, dict)]


def _references(located: Located) -> Iterator[Fault]:
    """What the file says in one place and needs in another."""
    entities = [part.get("slug") for _, part in _parts(located, "entities")]
    for kinds in (("entities",), ("channels", "erp")):
        parts = [found for kind in kinds for found in _parts(located, kind)]
        seen: set[str] = set()
        for path, slug in [(path, str(part["slug"])) for path, part in parts if "slug" in part]:
            if slug in seen:
                yield located.fault((*path, "slug"), f"used twice: {slug!r}")
            seen.add(slug)
    for path, part in _parts(located, "channels"):
        if part.get("slug") == RESERVED_SLUG:
            yield located.fault((*path, "slug"), f"{RESERVED_SLUG!r} is the hub's own word for the ERP: name another")
        if "entity" in part and part["entity"] not in entities:
            known = ", ".join(str(slug) for slug in entities) or "none"
            yield located.fault((*path, "entity"), f"no such entity: {part['entity']!r}; there is {known}")
    for kind, group in (("channels", CONNECTORS), ("erp", ERP_ADAPTERS)):
        installed = sorted({point.name for point in entry_points(group=group)})
        for path, part in _parts(located, kind):
            if "system" in part and part["system"] not in installed:
                known = ", ".join(installed) or "none"
                yield located.fault((*path, "system"), f"no plugin for it: {part['system']!r}; installed: {known}")


def _unset_secrets(
    located: Located, environ: Mapping[str, str], needed: Mapping[str, Collection[str]]
) -> Iterator[Fault]:
    for path, part in (*_parts(located, "channels"), *_parts(located, "erp")):
        secrets = part.get("secrets")
        named = secrets if isinstance(secrets, dict) else {}
        for name in sorted(needed.get(str(part.get("slug")), ())):
            place = (*path, "secrets", name)
            if name not in named:
                yield located.fault(place, "needed, and no environment variable is named for it")
            elif is_variable(named[name]) and not any(environ.get(f"{named[name]}{end}") for end in ("", "_FILE")):
                yield located.fault(place, f"the environment variable {named[name]} is not set")


@dataclass(frozen=True, slots=True)
class Named:
    """The data files that a configuration names, whatever else is wrong with it, and who uses them."""

    entities: dict[str, tuple[str, Path, Path]]  # slug -> currency, chart, policies
    channels: dict[str, str]  # slug -> entity
    rates: Path
    crosswalks: Path
    items: Path


def named_files(file: Path) -> Named:
    """The files as hub.yaml names them; what it leaves out is the checkout's own."""
    located = read_yaml(file)
    folder = file.parent

    def path(part: Mapping[str, Any], key: str, default: Path) -> Path:
        given = part.get(key)
        return folder / given if isinstance(given, str) else default

    files = next((part for _, part in _parts(located, "files")), {})
    return Named(
        entities={
            str(part.get("slug")): (
                str(part.get("currency")),
                path(part, "chart", SHIPPED.parent / "chart.yaml"),
                path(part, "policies", SHIPPED.parent / "policies.yaml"),
            )
            for _, part in _parts(located, "entities")
        },
        channels={str(part.get("slug")): str(part.get("entity")) for _, part in _parts(located, "channels")},
        rates=path(files, "rates", SHIPPED.parent / "rates.yaml"),
        crosswalks=path(files, "crosswalks", SHIPPED.parent / "crosswalks.yaml"),
        items=path(files, "items", SHIPPED.parent / "items.yaml"),
    )


def _broken_files(located: Located, folder: Path) -> Iterator[Fault]:
    """Files that are named and are missing, or are not YAML themselves."""
    places = [
        ((*path, key), part.get(key)) for path, part in _parts(located, "entities") for key in ("chart", "policies")
    ]
    places += [((*path, key), name) for path, part in _parts(located, "files") for key, name in part.items()]
    for path, name in places:
        if isinstance(name, str):
            file = folder / name
            if file.is_file():
                yield from read_yaml(file).faults
            else:
                yield located.fault(path, f"no such file: {display_name(file)}")
