"""A file that holds one JSON array, as click generators write it, cut at every byte as it grows."""

from pathlib import Path

import pytest
from tests.unit.formats.given import records
from tests.unit.sources.taking import Taking

from tailrace.expr.nodes import Type
from tailrace.formats.decoder import Decoder
from tailrace.formats.spec import DecodeSpec, FieldSpec, JsonFormat, TimeSpec
from tailrace.sources.following import FollowedFiles

SPEC = DecodeSpec(
    JsonFormat(array_lines=True),
    (FieldSpec("ip", Type.TEXT, ("ip",)),),
    TimeSpec("unix_time", ("unix_time",)),
)
OBJECTS = [f'{{"unix_time": {n}, "ip": "{n}"}}' for n in range(3)]
WANTED = [(n, str(n)) for n in range(3)]
FILES = {
    "an array": "[" + ",\n".join(OBJECTS) + "]\n",
    "marks apart": "[\n" + ",\r\n".join(OBJECTS) + "\n]\n",
    "two arrays": "[" + ",\n".join(OBJECTS[:1]) + "]\n[" + ",\n".join(OBJECTS[1:]) + "]\n",
}
Events = list[tuple[int, str]]


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return Decoder(SPEC)


def events_of(decoder: Decoder, taking: Taking) -> Events:
    """All events of what was taken; nothing may be dead."""
    decoded = decoder.decode(records(*taking.all_lines, end=b""))
    assert decoded.dead.rows == ()
    seconds = (decoded.time // 1_000_000).tolist()
    return list(zip(seconds, decoded.events["ip"].to_pylist(), strict=True))


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_cut_at_every_byte_while_it_grows(text: str, decoder: Decoder, tmp_path: Path) -> None:
    data = text.encode()
    for cut in range(len(data) + 1):
        path = tmp_path / f"logs-{cut}.json"
        path.write_bytes(data[:cut])
        taking = Taking(FollowedFiles([str(path)])).to_end()
        begun = events_of(decoder, taking)
        assert begun == WANTED[: len(begun)]
        with path.open("ab") as file:
            file.write(data[cut:])
        taking.to_end()
        assert events_of(decoder, taking) == WANTED, f"cut at byte {cut}"
        taking.close()


def test_stopped_at_every_byte_and_started_again(decoder: Decoder, tmp_path: Path) -> None:
    data = FILES["an array"].encode()
    for cut in range(len(data) + 1):
        path = tmp_path / f"logs-{cut}.json"
        path.write_bytes(data[:cut])
        before = Taking(FollowedFiles([str(path)])).to_end()
        begun = events_of(decoder, before)
        before.close()
        with path.open("ab") as file:
            file.write(data[cut:])
        after = Taking(FollowedFiles([str(path)]), before.resume).to_end()
        assert begun + events_of(decoder, after) == WANTED, f"cut at byte {cut}"
        after.close()
