import pytest

from tailrace.cli.printable import one_line, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 中", "plain é 中"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("bell\a", "bell\\x07"),
        ("c1\x9b2J", "c1\\x9b2J"),
        ("right\u202eleft", "right\\u202eleft"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("tab\tcr\r", "tab\\x09cr\\x0d"),
    ],
)
def test_nothing_reaches_the_terminal_that_it_would_obey(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert one_line(text) == shown


def test_line_ends() -> None:
    assert printable("a\nb\x00") == "a\nb\\x00"
    assert one_line("a\nb\x00") == "a\\x0ab\\x00"
