"""Live capture on the loopback interface: how many packets a second without a loss.

Another process sends small UDP packets in bursts by `sendmmsg`, at the rate that is asked for; this
one captures and decodes them, then a pipeline does. Losses are those that the kernel counts.
Needs Linux and CAP_NET_RAW: python benchmarks/bench_capture.py [PACKETS_PER_SECOND] [SECONDS]
"""

from __future__ import annotations

import ctypes
import json
import multiprocessing
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tailrace.cli.capturing.forms import all_fields
from tailrace.config import CaptureSource
from tailrace.sources.live.source import CapturedPackets

PORT = 40_733
BURST = 64
SIZE = 100


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Message(ctypes.Structure):
    """``struct mmsghdr``."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint),
        ("vectors", ctypes.POINTER(_Vector)),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("sent", ctypes.c_uint),
    )


def send(rate: int, seconds: float) -> None:
    """Send packets at a rate, or as near to it as this process gets; print the rate."""
    library = ctypes.CDLL(None)
    content = ctypes.create_string_buffer(SIZE)
    vector = _Vector(ctypes.addressof(content), SIZE)
    messages = (_Message * BURST)()
    for message in messages:
        message.vectors, message.vector_count = ctypes.pointer(vector), 1
    kind = socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as out, socket.socket(socket.AF_INET, kind) as to:
        to.bind(("127.0.0.1", PORT))  # else each packet would be answered by one of ICMP
        out.connect(("127.0.0.1", PORT))
        begin = time.perf_counter()
        sent = 0
        while (passed := time.perf_counter() - begin) < seconds:
            if sent > passed * rate:
                time.sleep(0.0005)
                continue
            sent += max(0, library.sendmmsg(out.fileno(), messages, BURST, 0))
    passed = time.perf_counter() - begin
    print(f"sent      {sent:11,} packets  {sent / passed:11,.0f}/s", flush=True)


def captured(rate: int, seconds: float) -> tuple[int, int]:
    """Capture and decode what a sender sends; return packets and what the kernel dropped."""
    source = CapturedPackets(
        CaptureSource.model_validate({"interfaces": "lo", "destination": "127.0.0.1"}),
        captures=True,
    )
    source.open({})
    decoder = all_fields()
    sender = multiprocessing.Process(target=send, args=(rate, seconds))
    packets = drops = quiet = 0
    begin = time.process_time()
    sender.start()
    while quiet < 10:
        source.wait(0.2)
        poll = source.poll(8 << 20, {})
        for chunk in poll.chunks:
            ports = decoder.decode(chunk.records).events["destination_port"].to_numpy()
            packets += int((ports == PORT).sum())
        drops += sum(note.count for note in poll.notes)
        quiet = 0 if sender.is_alive() else quiet + 1
    used = time.process_time() - begin
    sender.join()
    source.close()
    print(f"captured  {packets:11,} packets  {drops:,} dropped, {used / seconds:.0%} of a core")
    return packets, drops


PIPELINE = """\
name: capture
source: {{capture: {{interfaces: lo, destination: 127.0.0.1}}}}
time: {{field: time, grace: 1s}}
fields: {{source: text, destination: text, destination_port: integer, bytes: integer}}
rules:
  - record: volume
    by: [source, destination]
    window: 1s
    where: destination_port = {port}
    select: {{bytes: sum(bytes), packets: count(*)}}
    when: count(*) > 0
    to: rows
outputs: {{rows: {{file: {{path: {folder}/rows.ndjson}}}}}}
store: {{path: {folder}/capture.duckdb}}
"""


def whole(rate: int, seconds: float) -> None:
    """The same through a running pipeline, from the ring to windows; print what it says."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pipeline.yaml"
        path.write_text(PIPELINE.format(port=PORT, folder=folder))
        command = [sys.executable, "-m", "tailrace.cli.main", "run", str(path)]
        running = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        time.sleep(4)
        sender = multiprocessing.Process(target=send, args=(rate, seconds))
        sender.start()
        sender.join()
        time.sleep(4)
        running.send_signal(signal.SIGINT)
        said = running.communicate()[0]
        rows = [json.loads(line) for line in (Path(folder) / "rows.ndjson").open()]
        packets = sum(row["packets"] for row in rows)
    print(f"pipeline  {packets:11,} packets in {len(rows)} windows; it says:\n{said}")


def main() -> None:
    """Run both."""
    rate = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 10.0
    captured(rate, seconds)
    whole(rate, seconds)


if __name__ == "__main__":
    main()
