"""A ring of packets that the kernel fills (AF_PACKET, TPACKET_V3).

Needs Linux and the capability CAP_NET_RAW.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress

from tailrace.errors import SourceError
from tailrace.sources.live.blocks import LENGTH_AT, STATUS_AT
from tailrace.sources.live.filters import Wanted, program
from tailrace.sources.live.interfaces import indices, loopbacks

BLOCK_BYTES = 1 << 20
FRAME_BYTES = 1 << 11
RETIRE_MS = 50
"""A block with packets in it is given over after so long, full or not."""

_SOL_PACKET = 263
_RX_RING, _STATISTICS, _VERSION, _ADD_MEMBERSHIP = 5, 6, 10, 1
_V3 = 2
_ALL_PROTOCOLS = 3
_SO_ATTACH_FILTER = 26
_OURS, _KERNELS = 1, 0
_PROMISCUOUS = 1

ALLOWING = (
    "run it with sudo; or give the Python that runs it the right, once:"
    " sudo setcap cap_net_raw=ep PATH_OF_PYTHON; or in a systemd unit:"
    " AmbientCapabilities=CAP_NET_RAW; in a container: --cap-add NET_RAW"
)


class Ring:
    """Packets of some interfaces, as blocks.

    ``interfaces``: names; none: all. SourceError if there is no such interface, if this user may
    not capture, or if this is no Linux.
    """

    def __init__(
        self,
        interfaces: tuple[str, ...],
        *,
        snaplen: int,
        buffer_bytes: int,
        source: str | None = None,
        destination: str | None = None,
        either: str | None = None,
        promiscuous: bool = False,
    ) -> None:
        self.failed = False
        """Whether an interface has failed, or went down, since this was set to False."""
        numbers = indices(interfaces)
        # Of one interface the socket itself is; a filter on top of that would cost for nothing.
        wanted = Wanted(
            snaplen,
            numbers if len(numbers) > 1 else (),
            tuple(each for each in loopbacks() if not numbers or each in numbers),
            source=source,
            destination=destination,
            either=either,
        )
        self._socket = _opened()
        try:
            self._set_up(wanted, buffer_bytes)
            for number in numbers if promiscuous else ():
                request = struct.pack("=iHH8s", number, _PROMISCUOUS, 0, b"")
                self._socket.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, request)
            _bind(self._socket, numbers[0] if len(numbers) == 1 else 0)
        except OSError as error:
            self._socket.close()
            reason = error.strerror or type(error).__name__
            raise SourceError(f"packets can't be captured: {reason.lower()}") from error

    def _set_up(self, wanted: Wanted, buffer_bytes: int) -> None:
        """The filter and the ring, before the first packet comes."""
        instructions = program(wanted)
        held = ctypes.create_string_buffer(instructions)
        attached = struct.pack("HL", len(instructions) // 8, ctypes.addressof(held))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, attached)
        self._socket.setsockopt(_SOL_PACKET, _VERSION, _V3)
        self._blocks = max(2, buffer_bytes // BLOCK_BYTES)
        frames = self._blocks * (BLOCK_BYTES // FRAME_BYTES)
        request = struct.pack(
            "=7I", BLOCK_BYTES, self._blocks, FRAME_BYTES, frames, RETIRE_MS, 0, 0
        )
        self._socket.setsockopt(_SOL_PACKET, _RX_RING, request)
        self._memory = mmap.mmap(self._socket.fileno(), self._blocks * BLOCK_BYTES)
        self._next = 0

    def blocks(self, most_bytes: int) -> Iterator[bytes]:
        """What the kernel has given over, each block once, until about so many bytes are taken."""
        memory = self._memory
        taken = 0
        while taken < most_bytes:
            at = self._next * BLOCK_BYTES
            if not struct.unpack_from("=I", memory, at + STATUS_AT)[0] & _OURS:
                return
            length = struct.unpack_from("=I", memory, at + LENGTH_AT)[0]
            block = memory[at : at + min(length, BLOCK_BYTES)]
            struct.pack_into("=I", memory, at + STATUS_AT, _KERNELS)
            self._next = (self._next + 1) % self._blocks
            taken += len(block)
            yield block

    def counted(self) -> tuple[int, int]:
        """Packets that passed the filter since the last call, and how many of them were dropped."""
        packets, drops, _ = struct.unpack(
            "=III", self._socket.getsockopt(_SOL_PACKET, _STATISTICS, 12)
        )
        return packets, drops

    def wait(self, seconds: float) -> None:
        """Sleep until there is a block, at most so long; afterwards see ``failed``."""
        until = time.monotonic() + max(0.0, seconds)
        polling = select.poll()
        polling.register(self._socket.fileno(), select.POLLIN)
        happened = 0
        for _, events in polling.poll(max(0.0, seconds) * 1000):
            happened |= events
        if happened & ~select.POLLIN:
            # Until it is asked for, the error would end every wait at once.
            self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self.failed = True
            if not happened & select.POLLIN:
                time.sleep(max(0.0, until - time.monotonic()))

    def close(self) -> None:
        """Let go of it."""
        with suppress(BufferError):
            self._memory.close()
        self._socket.close()


def _bind(taking: socket.socket, interface: int) -> None:
    """Let packets in, of one interface or of all (0), which Python's own ``bind`` can't say."""
    protocol = socket.htons(_ALL_PROTOCOLS)
    address = struct.pack("=HHiHBB8s", socket.AF_PACKET, protocol, interface, 0, 0, 0, b"")
    library = ctypes.CDLL(None, use_errno=True)
    if library.bind(taking.fileno(), address, len(address)):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _opened() -> socket.socket:
    family = getattr(socket, "AF_PACKET", None)
    if family is None:
        raise SourceError(
            "packets are captured on Linux only",
            hint="capture with tcpdump and read its file: source: {pcap: {path: x.pcap}}",
        )
    try:
        return socket.socket(family, socket.SOCK_RAW, 0)
    except PermissionError:
        message = "this user may not capture packets (CAP_NET_RAW)"
        raise SourceError(message, hint=ALLOWING) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SourceError(f"packets can't be captured here: {reason.lower()}") from error
