"""What PyYAML says about malformed YAML, said to the person who wrote it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from yaml.error import MarkedYAMLError

_QUOTE = "put the whole text in quotes"
_IF_TEXT = f"if it is a text, {_QUOTE}"
_INDENT = "compare the indentation with the lines above; text with ': ', '{' or quotes needs quotes"
_KEY = "a key is written 'key: value'"
_BACKSLASH = r"use single quotes, or write '\\' for a backslash"


class _Explanation(NamedTuple):
    """`pattern` is searched in "context; problem"; `{}` is its group.

    `at_context`: the place where the construct began is shown, not where the scanner gave up.
    """

    pattern: str
    message: str
    hint: str | None = None
    at_context: bool = False


_EXPLANATIONS = (
    _Explanation(r"found character '\\t'", "a tab can't indent YAML", "use spaces"),
    _Explanation(
        r"found character '(.)' that cannot start any token",
        "text can't begin with '{}' outside quotes",
        'put it in quotes: "{}..."',
    ),
    _Explanation(
        r"found unexpected (end of stream|document separator)",
        "a quote is opened here and never closed",
        at_context=True,
    ),
    _Explanation(
        r"mapping values are not allowed",
        "a ':' is not allowed here",
        "a text with ': ' in it needs quotes; otherwise check the indentation of this line",
    ),
    _Explanation(
        r"could not find expected ':'", "this line has no ':' after its key", _KEY, at_context=True
    ),
    _Explanation(
        r"flow mapping; expected ',' or '}'",
        "',' or '}' is missing here",
        f"if '{{' began a text, {_QUOTE}",
    ),
    _Explanation(
        r"flow sequence; expected ',' or '\]'",
        "',' or ']' is missing here",
        f"if '[' began a text, {_QUOTE}",
    ),
    _Explanation(
        r"expected <block end>, but found '<scalar>'",
        "text goes on after the end of a quoted text, '}' or ']'",
        f"{_QUOTE}, of the other kind if it has quotes itself",
    ),
    _Explanation(
        r"expected <block end>, but found '[:?]'", "there is no key before this ':'", _KEY
    ),
    _Explanation(r"expected <block end>", "this doesn't belong here", _INDENT),
    _Explanation(r"sequence entries are not allowed", "a '-' is not allowed here", _INDENT),
    _Explanation(
        r"found undefined alias",
        "text that begins with '*' refers to an anchor, and there is none of this name",
        _IF_TEXT,
    ),
    _Explanation(
        r"scanning an? (?:alias|anchor)",
        "'*' and '&' refer to anchors in YAML",
        _IF_TEXT,
        at_context=True,
    ),
    _Explanation(
        r"but found another document|expected '<document start>'",
        "a second document begins here",
        "a pipeline file has one; remove the '---'",
    ),
    _Explanation(
        r"found unknown escape character '(.)'",
        r"there is no escape '\{}' in double quotes",
        _BACKSLASH,
    ),
    _Explanation(
        r"double-quoted scalar; expected escape sequence",
        "an escape in double quotes is not complete",
        _BACKSLASH,
    ),
    _Explanation(
        r"scanning a block scalar",
        "nothing but a comment may follow '|' or '>' in its line",
        "begin the text in the next line",
    ),
    _Explanation(r"incompatible YAML document", "only YAML 1.1 and 1.2 are read", "remove '%YAML'"),
    _Explanation(
        r"scanning a directive", "a line that begins with '%' is a directive in YAML", "remove it"
    ),
    _Explanation(
        r"(?:parsing|scanning) a (?:node|tag)|undefined tag handle",
        "text that begins with '!' is a tag in YAML",
        _IF_TEXT,
    ),
    _Explanation(r"expected the node content", "a value is missing here"),
)


def explained(error: MarkedYAMLError) -> tuple[str, str | None, bool]:
    """Return message, hint, and whether the error's context is the place to show."""
    said = f"{error.context or ''}; {error.problem or ''}"
    for explanation in _EXPLANATIONS:
        found = re.search(explanation.pattern, said)
        if found is not None:
            group = found[1] if found.re.groups else ""
            message, hint = (
                text and text.replace("{}", group)
                for text in (explanation.message, explanation.hint)
            )
            return message or said, hint, explanation.at_context
    return str(error.problem or error.context), None, False
