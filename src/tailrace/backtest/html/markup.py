"""Elements of HTML and SVG as text. What isn't markup already is escaped on its way in.

Keys come from logs, and logs from attackers: characters that don't print (line ends, controls,
marks that turn the direction of writing) are shown as escapes, as on the terminal.
"""

from __future__ import annotations

from html import escape


class Markup(str):
    """Text that is HTML; every other ``str`` is text to show."""

    __slots__ = ()


def text(value: str) -> Markup:
    """A text to show, escaped."""
    if not value.isprintable():
        value = "".join(c if c.isprintable() else _shown(c) for c in value)
    return Markup(escape(value))


def tag(name: str, *children: str, **attributes: object) -> Markup:
    """An element; ``class_`` is the attribute ``class``, ``stroke_width`` is ``stroke-width``.

    Attributes that are None are left out; numbers have two decimals at most.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(_value(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{written}>{joined(*children)}</{name}>")


def joined(*children: str) -> Markup:
    """Elements and texts one after another."""
    return Markup("".join(c if isinstance(c, Markup) else text(c) for c in children))


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(value)


def _shown(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
