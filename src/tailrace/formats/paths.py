"""Paths into JSON objects, arranged as the structures that DuckDB's ``json_transform`` takes."""

from __future__ import annotations

import json
from collections.abc import Sequence

Path = tuple[str, ...]
Tree = dict[str, "Tree | None"]


def trees_of(paths: Sequence[Path]) -> tuple[Tree, ...]:
    """As few trees as hold every path as a leaf.

    One tree can't hold a leaf and something below it, nor two keys that differ in case only (DuckDB
    takes them for one name), so such paths go to further trees, each parsed anew.
    """
    trees: list[Tree] = []
    for path in paths:
        if not any(_fits(tree, path) for tree in trees):
            trees.append({})
        _add(next(tree for tree in trees if _fits(tree, path)), path)
    return tuple(trees)


def structure(tree: Tree) -> str:
    """The tree as ``json_transform``'s second argument; every leaf is text."""
    return json.dumps(_named(tree), ensure_ascii=False)


def place(tree: Tree, path: Path) -> list[int] | None:
    """The child numbers that lead to a leaf (Arrow's ``struct_field``); None if it isn't there."""
    numbers: list[int] = []
    node: Tree | None = tree
    for key in path:
        if node is None or key not in node:
            return None
        numbers.append(list(node).index(key))
        node = node[key]
    return numbers if node is None else None


def _named(tree: Tree) -> dict[str, object]:
    return {key: "VARCHAR" if below is None else _named(below) for key, below in tree.items()}


def _fits(tree: Tree, path: Path) -> bool:
    key, rest = path[0], path[1:]
    if key not in tree:
        return key.lower() not in {other.lower() for other in tree}
    below = tree[key]
    if below is None or not rest:
        return below is None and not rest
    return _fits(below, rest)


def _add(tree: Tree, path: Path) -> None:
    key, rest = path[0], path[1:]
    below = tree.setdefault(key, {} if rest else None)
    if below is not None:
        _add(below, rest)
