"""What runs side by side when the tests are dealt out, and in which order."""

from dataclasses import dataclass

import pytest
from tests import lanes

SERVERS = [
    "tests/services/kafka/test_run.py::test_it",
    "tests/services/kafka/test_source.py::test_it[a::b/c]",
    "tests/services/spark/test_nginx.py::test_it",
    "tests/browser/test_page.py::test_it",
]


@dataclass(frozen=True)
class Item:
    nodeid: str


def test_what_starts_servers_is_one_lane() -> None:
    assert {lanes.lane(nodeid) for nodeid in SERVERS} == {"servers"}


@pytest.mark.parametrize(
    ("nodeid", "folder", "lane"),
    [
        ("tests/unit/cli/test_a.py::test_b[x]", "unit", "tests/unit/cli/test_a.py"),
        ("tests/unit/cli/test_a.py::TestC::test_b", "unit", "tests/unit/cli/test_a.py"),
        (
            "tests/conformance/test_d.py::test_b[a/b.py::c]",
            "conformance",
            "tests/conformance/test_d.py",
        ),
        ("tests/test_e.py::test_b", "elsewhere", "tests/test_e.py"),
        ("other/services/test_f.py::test_b", "elsewhere", "other/services/test_f.py"),
    ],
)
def test_any_other_file_is_a_lane(nodeid: str, folder: str, lane: str) -> None:
    assert (lanes.folder(nodeid), lanes.lane(nodeid)) == (folder, lane)


def test_the_longest_come_first_and_each_folder_stays_in_order() -> None:
    names = ["tests/unit/test_b.py::x", "tests/new/test.py::x", "tests/unit/test_a.py::x", *SERVERS]
    items = [Item(name) for name in names]
    lanes.put_in_order(items)  # type: ignore[arg-type] # only names are looked at
    assert [item.nodeid for item in items] == [*SERVERS, names[0], names[2], names[1]]
