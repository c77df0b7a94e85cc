"""Text from logs and files on its way to a terminal: every character shown, none obeyed.

Imports nothing, because errors go through here before anything is loaded.
"""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with escapes for whatever a terminal would act on; line ends stay."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else _escape(c) for c in text)


def one_line(text: str) -> str:
    """As `printable`, and line ends are escaped, too."""
    return text if text.isprintable() else printable(text).replace("\n", "\\x0a")


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
