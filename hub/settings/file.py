"""A YAML file read with the line of every node, so that a fault in it can be pointed at."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.constructor import ConstructorError

FILE_BYTES_MAX: Final = 50_000_000  # a price list of some hundred thousand items
NODES_MAX: Final = 3_000_000

COLLECTIONS: Final = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")

NodePath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with the configuration, and where."""

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (f"{self.file}:{self.line}", self.path, self.message) if part)


@dataclass(slots=True)
class Located:
    """What a YAML file says, with the line that each part of it begins on, and what is wrong with it as YAML."""

    file: str
    tree: Any = None
    lines: dict[NodePath, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, path: NodePath, message: str) -> Fault:
        """A fault at the path, on the line of its nearest part that the file does have."""
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        return Fault(self.file, self.lines.get(known, 1), shown(path), message)


def read_yaml(file: Path) -> Located:
    """The file's one document; what does not parse is among the faults, and its tree is then None."""
    located = Located(display_name(file))
    try:
        with file.open("rb") as stream:
            content = stream.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        located.faults.append(located.fault((), f"cannot be read: {error.strerror}"))
        return located
    if len(content) > FILE_BYTES_MAX:
        located.faults.append(located.fault((), f"larger than {FILE_BYTES_MAX} bytes"))
        return located
    try:
        loader = _Loader(content)
        try:
            root = loader.get_single_node()
            if root is not None:
                located.tree = _Walk(loader, located).value(root, ())
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or " ".join(str(error).split())
        line = mark.line + 1 if mark else 1
        located.faults.append(Fault(located.file, line, "", f"not YAML: {problem}"))
        located.tree = None
    return located


def shown(path: NodePath) -> str:
    """`channels[0].currency`; empty for the whole."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def display_name(file: Path) -> str:
    """The file as a person here would type it: relative where it lies below the working directory."""
    try:
        return file.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(file)


class _Loader(yaml.SafeLoader):
    """YAML's safe subset, a fraction being the Decimal that was written."""


def _decimal(loader: _Loader, node: yaml.ScalarNode) -> Any:
    text = str(loader.construct_scalar(node))
    try:
        return Decimal(text.replace("_", ""))
    except ArithmeticError:
        return loader.construct_yaml_float(node)


_Loader.add_constructor("tag:yaml.org,2002:float", _decimal)


class _Walk:
    """Turns nodes into values, writing down lines and doubled keys on the way."""

    def __init__(self, loader: _Loader, located: Located) -> None:
        self.loader = loader
        self.located = located
        self.nodes = 0

    def value(self, node: yaml.Node, path: NodePath) -> Any:
        self.nodes += 1
        if self.nodes > NODES_MAX:
            raise ValueError(f"more than {NODES_MAX} values, aliases counted")
        self.located.lines.setdefault(path, node.start_mark.line + 1)
        if not isinstance(node, yaml.ScalarNode) and node.tag not in COLLECTIONS:
            raise ConstructorError(None, None, f"no such type: {node.tag}", node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return dict(self.pairs(node, path))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self.loader.construct_object(node)

    def pairs(self, node: yaml.MappingNode, path: NodePath) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = str(key_node.value)
            place = (*path, key)
            if key in seen:
                message = f"given twice, first on line {seen[key]}"
                self.located.faults.append(Fault(self.located.file, line, shown(place), message))
            seen.setdefault(key, line)
            self.located.lines.setdefault(place, line)
            yield key, self.value(value_node, place)
