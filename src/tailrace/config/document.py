"""A tree of YAML nodes to plain values with their places, the environment filled in.

Values are None, str, list and dict: what a text means is decided where it is expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tailrace.config.complaints import Path
from tailrace.config.environment import Filled, fill
from tailrace.config.positions import Place
from tailrace.config.scalar_places import places_of
from tailrace.config.values import shown
from tailrace.errors import Problem, Where

if TYPE_CHECKING:
    from yaml.error import Mark

Value = None | str | list["Value"] | dict[str, "Value"]

MOST_VALUES = 20_000
"""A file whose aliases expand to more values than this is refused."""
_NULLS = ("", "~", "null", "Null", "NULL")
_MERGE = "<<"
_PLAIN_TAGS = {
    ScalarNode: ("tag:yaml.org,2002:str", "!"),
    SequenceNode: ("tag:yaml.org,2002:seq", "!"),
    MappingNode: ("tag:yaml.org,2002:map", "!"),
}


@dataclass(slots=True)
class Document:
    """Values and places as they are gathered, and the problems met on the way.

    ``faults`` are the problems with the paths that they belong to; ``broken`` the paths of values
    that could not be read, so that nobody complains about them again.
    """

    text: str
    file: str
    env: Mapping[str, str]
    places: dict[Path, Place] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    faults: list[tuple[Path, Problem]] = field(default_factory=list)
    broken: set[Path] = field(default_factory=set)
    count: int = 0

    @property
    def problems(self) -> list[Problem]:
        """The problems met so far."""
        return [problem for _, problem in self.faults]

    def fault(self, message: str, where: Where, hint: str | None = None, path: Path = ()) -> None:
        """Note a problem of what stands at `path`."""
        self.faults.append((path, Problem(message, where, hint)))

    def forget(self, path: Path) -> None:
        """Forget the places and problems of what stood at `path`: it is given anew."""
        length = len(path)
        for place in [place for place in self.places if place[:length] == path]:
            del self.places[place]
        self.broken = {place for place in self.broken if place[:length] != path}
        self.faults = [fault for fault in self.faults if fault[0][:length] != path]

    def read(self, node: Node, path: Path = (), key: Where | None = None) -> Value:
        """Return the value of a node that stands at `path`, and remember its place."""
        return self._read(node, path, key, ())

    def _read(self, node: Node, path: Path, key: Where | None, around: tuple[int, ...]) -> Value:
        self.count += 1
        self.places[path] = Place(self._where(node.start_mark), key)
        if id(node) in around:
            return self._refuse(node, path, "an alias stands within its own anchor")
        if self.count > MOST_VALUES:
            if self.count == MOST_VALUES + 1:
                self._refuse(node, path, f"aliases expand the file to over {MOST_VALUES} values")
            return None
        if node.tag not in _PLAIN_TAGS[type(node)]:
            return self._refuse(node, path, f"tags such as {_tag(node)} are not supported")
        around = (*around, id(node))
        if isinstance(node, ScalarNode):
            return self._scalar(node, path, key)
        if isinstance(node, SequenceNode):
            return [
                self._read(item, (*path, index), None, around)
                for index, item in enumerate(node.value)
            ]
        return self._mapping(node, path, around)

    def _mapping(self, node: Node, path: Path, around: tuple[int, ...]) -> dict[str, Value]:
        result: dict[str, Value] = {}
        merged: list[Node] = []
        first: dict[str, Where] = {}
        for key_node, value_node in node.value:
            where = self._where(key_node.start_mark)
            name = self._key(key_node, path)
            if name is None:
                continue
            if _merges(key_node):
                merged.append(value_node)
                continue
            if name in first:
                message = f"the key {shown(name)} is there twice; first in line {first[name].line}"
                self.fault(message, where, "remove one of them", (*path, name))
                continue
            first[name] = where
            result[name] = self._read(value_node, (*path, name), where, around)
        for value_node in merged:
            self._merge(value_node, path, around, result)
        return result

    def _merge(
        self, node: Node, path: Path, around: tuple[int, ...], result: dict[str, Value]
    ) -> None:
        """Take over the keys of ``<<: *anchor`` that the mapping does not have itself."""
        if isinstance(node, SequenceNode):
            for item in node.value:
                self._merge(item, path, around, result)
        elif id(node) in around:
            self._refuse(node, path, "an alias stands within its own anchor")
        elif isinstance(node, MappingNode):
            around = (*around, id(node))
            for key_node, value_node in node.value:
                name = self._key(key_node, path)
                if _merges(key_node):
                    self._merge(value_node, path, around, result)
                elif name is not None and name not in result:
                    where = self._where(key_node.start_mark)
                    result[name] = self._read(value_node, (*path, name), where, around)
        else:
            self._refuse(node, path, "'<<' merges mappings: <<: *anchor")

    def _key(self, node: Node, path: Path) -> str | None:
        where = self._where(node.start_mark)
        if not isinstance(node, ScalarNode):
            hint = "text that begins with '{' or '[' needs quotes"
            self.fault("a key must be text", where, hint, path)
            return None
        if node.tag not in _PLAIN_TAGS[ScalarNode]:
            self._refuse(node, path, f"tags such as {_tag(node)} are not supported")
            return None
        if node.style is None and node.value in _NULLS:
            self.fault("a key is empty", where, "a key is written 'key: value'", path)
            return None
        if not _clean(node.value):
            self.fault("a key has characters that are no text", where, path=path)
            return None
        return str(node.value)

    def _scalar(self, node: ScalarNode, path: Path, key: Where | None) -> Value:
        if node.style is None and node.value in _NULLS:
            return None
        if not _clean(node.value):
            return self._refuse(node, path, "the text has NUL or half of a surrogate pair in it")
        filled = fill(node.value, self.env)
        place = _Inside(self, node, filled)
        self.places[path] = Place(self._where(node.start_mark), key, place.where)
        self.secrets.update(filled.secrets)
        for mistake in filled.mistakes:
            where = place.where_written(mistake.offset)
            self.fault(mistake.message, where, mistake.hint, path)
            self.broken.add(path)
        return filled.text

    def _refuse(self, node: Node, path: Path, message: str) -> Value:
        self.fault(message, self._where(node.start_mark), path=path)
        self.broken.add(path)
        return None

    def _where(self, mark: Mark) -> Where:
        return Where(self.file, mark.line + 1, mark.column + 1)


@dataclass(frozen=True, slots=True)
class _Inside:
    """Finds the places of a scalar's characters when they are asked for."""

    document: Document
    node: ScalarNode
    filled: Filled

    def where(self, offset: int) -> Where:
        """Return the place of a character of the value, the environment being filled in."""
        return self.where_written(self.filled.origin(offset))

    def where_written(self, offset: int) -> Where:
        """Return the place of a character of the value as written."""
        start, end = self.node.start_mark, self.node.end_mark
        text = self.document.text[start.index : end.index]
        places = places_of(self.node.value, text, self.node.style)
        before = text[: places[max(0, min(offset, len(places) - 1))]]
        lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        column = len(lines[-1]) + (start.column if len(lines) == 1 else 0)
        return Where(self.document.file, start.line + len(lines), column + 1)


def _tag(node: Node) -> str:
    return shown(str(node.tag).replace("tag:yaml.org,2002:", "!!"))


def _merges(key: Node) -> bool:
    return isinstance(key, ScalarNode) and key.style is None and key.value == _MERGE


def _clean(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)
