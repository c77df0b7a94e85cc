"""What is written as pcapng is read again as the same packets."""

from pathlib import Path

from tests.unit.sources.captures.test_reading import FILES, found, taken

from tailrace.sources.captures.writing import PcapngWriter


def test_written_and_read(tmp_path: Path) -> None:
    source, copy = tmp_path / "source.pcap", tmp_path / "copy.pcapng"
    for name in ("little", "raw", "two-sections", "truncated", "header-only"):
        source.write_bytes(FILES[name])
        chunks = taken(source)
        writer = PcapngWriter()
        parts = [writer.write(chunk.records) for chunk in chunks]
        copy.write_bytes(b"".join([writer.begin(), *parts]))
        rows = [row for chunk in chunks for row in found(chunk.records)]
        kept = [row for row in rows if not row.broken and row.time_us is not None]
        again = [row for chunk in taken(copy) for row in found(chunk.records)]
        assert [{**vars(row), "position": 0} for row in again] == [
            {**vars(row), "position": 0} for row in kept
        ]
