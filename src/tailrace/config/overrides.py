"""``--set key=value``: single values of the pipeline file given on the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from yaml.error import Mark
from yaml.nodes import Node, ScalarNode

from tailrace.config.base import dotted
from tailrace.config.complaints import Path
from tailrace.config.document import Document, Value
from tailrace.config.positions import Place
from tailrace.config.suggestions import suggestion
from tailrace.config.values import escaped, shown
from tailrace.config.yaml_tree import compose
from tailrace.errors import Problem, Where

_EXAMPLE = "for example --set time.grace=10s"


def override(top: dict[str, Value], setting: str, document: Document) -> None:
    """Apply one ``key=value`` to `top`; its places and problems go to the document."""
    key, equals, text = setting.partition("=")
    key = key.strip()
    if not key or not equals:
        message = f"{shown(setting)} is not of the form key=value"
        document.fault(message, Where("--set"), _EXAMPLE)
        return
    where = Where(f"--set {escaped(key)}")
    parent, path = _find(top, key.split("."), where, document)
    node = _node(text, where.file)
    if isinstance(node, Problem):
        document.faults.append((path, node))
    if parent is None or not isinstance(node, Node):
        return
    given = Document(text, where.file, document.env)
    value = given.read(node, path)
    document.forget(path)
    document.broken |= given.broken
    document.faults += given.faults
    document.places |= {
        place: Place(where, where, found.inside) for place, found in given.places.items()
    }
    document.secrets |= given.secrets
    last = path[-1]
    if isinstance(parent, list) and isinstance(last, int):
        parent[last] = value
    elif isinstance(parent, dict):
        parent[str(last)] = value


def _node(text: str, file: str) -> Node | Problem | None:
    """Return the value's tree: flow collections and quoted texts as YAML, all else as it is."""
    text = text.strip()
    if text[:1] in ("[", "{", '"', "'"):
        return compose(text, file)
    start, end = (Mark(file, at, 0, at, None, 0) for at in (0, len(text)))
    return ScalarNode("tag:yaml.org,2002:str", text, start, end)


def _find(
    top: dict[str, Value], keys: list[str], where: Where, document: Document
) -> tuple[dict[str, Value] | list[Value] | None, Path]:
    """Return what holds the value that `keys` lead to (made if need be), and the value's path."""
    path: Path = ()
    current: Value = top
    for number, key in enumerate(keys):
        step, problem = _step(current, key, path, where)
        if step is None:
            document.faults.append((path, problem or Problem("no such place", where)))
            return None, path
        path = (*path, step)
        if number == len(keys) - 1:
            break
        if isinstance(current, dict):
            child = current.get(str(step))
            if child is None:
                child = current[str(step)] = {}
                document.places[path] = Place(where, where)
            elif isinstance(child, str) and path[0] == "fields" and len(path) == 2:
                child = current[str(step)] = {"type": child}
            current = child
        elif isinstance(current, list) and isinstance(step, int):
            current = current[step]
    return (current if isinstance(current, dict | list) else None), path


def _step(
    current: Value, key: str, path: Path, where: Where
) -> tuple[str | int | None, Problem | None]:
    place = dotted(path)
    if isinstance(current, dict):
        return (key, None) if key else (None, Problem("a part of the key is empty", where))
    if not isinstance(current, list):
        return None, Problem(f"{place} is a single value and has no {shown(key)}", where)
    if key.isascii() and key.isdigit() and len(key) < 10:
        if int(key) < len(current):
            return int(key), None
        message = f"{place} has {len(current)} items, counted from 0; there is no {key}"
        return None, Problem(message, where)
    names = dict(_names(current))
    if key in names:
        return names[key], None
    what = "rule" if path == ("rules",) else "item"
    hint = suggestion(key, names, f"{what}s")
    return None, Problem(f"{place} has no {what} {shown(key)}", where, hint)


def _names(items: list[Value]) -> Iterator[tuple[str, int]]:
    for index, item in enumerate(items):
        name = item
        if isinstance(item, Mapping):
            name = item.get("alert", item.get("record", item.get("classify")))
        if isinstance(name, str):
            yield name, index
