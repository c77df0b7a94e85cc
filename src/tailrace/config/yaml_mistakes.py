"""What PyYAML says about malformed YAML, said to the person who wrote it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yaml.error import MarkedYAMLError

_QUOTE = "put the whole text in quotes"
_INDENT = "compare the indentation with the lines above; text with ': ', '{' or quotes needs quotes"

# Pattern over "context; problem" -> message, hint, whether the context's place is meant.
_EXPLANATIONS: tuple[tuple[str, str, str | None, bool], ...] = (
    (r"found character '\\t'", "a tab can't indent YAML", "use spaces", False),
    (
        r"found character '(.)' that cannot start any token",
        "text can't begin with '\\1' outside quotes",
        'put it in quotes: "\\1..."',
        False,
    ),
    (r"found unexpected end of stream", "a quote is opened here and never closed", None, True),
    (
        r"found unexpected document separator",
        "a quote is opened here and never closed",
        None,
        True,
    ),
    (
        r"mapping values are not allowed",
        "a ':' is not allowed here",
        "a text that has ': ' in it needs quotes; otherwise check this line's and the last one's"
        " indentation",
        False,
    ),
    (
        r"could not find expected ':'",
        "this line has no ':' after its key",
        "a key is written as 'key: value'",
        True,
    ),
    (
        r"flow mapping; expected ',' or '}'",
        "',' or '}' is missing here",
        f"if '{{' began a text, {_QUOTE}",
        False,
    ),
    (
        r"flow sequence; expected ',' or '\]'",
        "',' or ']' is missing here",
        f"if '[' began a text, {_QUOTE}",
        False,
    ),
    (
        r"expected <block end>, but found '<scalar>'",
        "text goes on after the end of a quoted text, '}' or ']'",
        f"{_QUOTE}, of the other kind if it has quotes itself",
        False,
    ),
    (
        r"expected <block end>, but found '[:?]'|found ':'",
        "there is no key before this ':'",
        "a key is written 'key: value'",
        False,
    ),
    (r"block mapping; expected <block end>", "this doesn't belong here", _INDENT, False),
    (r"block collection; expected <block end>", "this doesn't belong here", _INDENT, False),
    (r"sequence entries are not allowed", "a '-' is not allowed here", _INDENT, False),
    (
        r"found undefined alias",
        "text that begins with '*' refers to an anchor, and there is none of this name",
        f"if it is a text, {_QUOTE}",
        False,
    ),
    (
        r"scanning an? (alias|anchor)",
        "'*' and '&' refer to anchors in YAML",
        f"if it is a text, {_QUOTE}",
        True,
    ),
    (
        r"but found another document|expected '<document start>'",
        "a second document begins here",
        "a pipeline file has one; remove the '---'",
        False,
    ),
    (
        r"found unknown escape character '(.)'",
        "there is no escape '\\\\\\1' in double quotes",
        "use single quotes, or write '\\\\\\\\' for a backslash",
        False,
    ),
    (
        r"double-quoted scalar; expected escape sequence",
        "an escape in double quotes is not complete",
        "use single quotes, or write '\\\\' for a backslash",
        False,
    ),
    (
        r"scanning a block scalar",
        "nothing but a comment may follow '|' or '>' in its line",
        "begin the text in the next line",
        False,
    ),
    (r"scanning a directive", "text can't begin with '%' outside quotes", _QUOTE, False),
    (
        r"(parsing|scanning) a (node|tag)|undefined tag handle|found undefined tag",
        "text that begins with '!' is a tag in YAML",
        f"if it is a text, {_QUOTE}",
        False,
    ),
    (r"expected the node content", "a value is missing here", None, False),
    (r"incompatible YAML document", "only YAML 1.1 and 1.2 are read", "remove '%YAML'", False),
)


def explained(error: MarkedYAMLError) -> tuple[str, str | None, bool]:
    """Return message, hint, and whether the error's context is the place to show."""
    said = f"{error.context or ''}; {error.problem or ''}"
    for pattern, message, hint, at_context in _EXPLANATIONS:
        found = re.search(pattern, said)
        if found is not None:
            return found.expand(message), found.expand(hint) if hint else None, at_context
    return str(error.problem or error.context), None, False
