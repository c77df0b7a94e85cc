"""Batches to a topic, each in a transaction that also says its number (SEMANTICS 25).

What became of a transaction is decided in one way only, at the start and after anything that went
wrong: a new producer of the same transactional id, which ends what the one before left and fences
other processes; then the marker is read (``place``). A batch up to the marker is in the topic. A
process that finds another's marker where its own was has been replaced by that one.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from tailrace.errors import HaltedError, OutputError
from tailrace.outputs.kafka.place import Found, Marker, Place
from tailrace.outputs.kafka.rows import FRAME_BYTES, Messages, messages
from tailrace.outputs.kafka.sending import Sender, TooLargeError
from tailrace.outputs.output import Receipt, State

if TYPE_CHECKING:
    from tailrace.config.targets.kafka import KafkaOutput
    from tailrace.outputs.batches import OutboxBatch

SEND_SECONDS = 15.0
"""How long a transaction may take, and longer by its size."""
BYTES_A_SECOND = 2 << 20
LONGEST_SEND_SECONDS = 45.0

RENEW_SECONDS = 6 * 3600.0
"""How often the marker is written again while no rows come. Brokers forget it after some days, and
the transactional id as well: the first row after a quiet week would find neither."""

NOTHING = Messages((), 0, (), None, None)


class KafkaTopic:
    """Rows as messages of one topic. State: cluster, topic, the number of the last batch."""

    remote = True

    def __init__(
        self,
        name: str,
        config: KafkaOutput,
        store_id: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._clock = clock
        self._renew_at = 0.0
        self._config = config
        self._id = f"tailrace-outbox.{store_id}.{name}"
        self._owner = uuid.uuid4().hex
        self._sender: Sender | None = None
        self._found = Found("", 0, 0, keyed=False)
        self._seq = -1
        """The last batch that is in the topic for sure."""
        self._newest: int | None = None
        """The newest that may be there; None if nobody has said it."""
        self._marked = False
        """Whether this cluster and topic must have a marker."""
        self._limit: int | None = None
        """Bytes of a message, where the topic takes less than it says."""
        self._one_by_one = False
        self._opened = False
        """Whether the marker is ours."""

    # -- Output ------------------------------------------------------------------------------------

    def expect(self, newest: int) -> None:
        """See ``Expecting.expect``."""
        self._newest = newest

    def open(self, saved: State | None) -> State:
        """See ``Output.open``; HaltedError if it can't be known what is in the topic."""
        self.close()
        self._limit, self._one_by_one, self._opened = None, False, False
        self._seq = -1 if saved is None else int(str(saved["seq"]))
        before = "" if saved is None else str(saved.get("cluster"))
        self._found = Found(before, 0, 0, keyed=False)
        self._marked = saved is not None and saved.get("topic") == self._config.topic
        self._send(self._start(), NOTHING, self._seq)
        self._opened = True
        return self._state()

    def deliver(self, batch: OutboxBatch) -> Receipt:
        """See ``Output.deliver``."""
        sender = self._start() if self._sender is None else self._sender
        limit = self._found.limit if self._limit is None else self._limit
        made = messages(batch, limit, self._partitions)
        if batch.seq > self._seq:
            self._newest = max(batch.seq, -1 if self._newest is None else self._newest)
            self._send(sender, made, batch.seq)
            if self._one_by_one:
                self._one_by_one = False
                self.close()
        return Receipt(self._state(), made.refused)

    def renew(self) -> float | None:
        """See ``Renewing.renew``: the marker is written again."""
        left = self._renew_at - self._clock()
        if left > 0:
            return left
        self._send(self._start() if self._sender is None else self._sender, NOTHING, self._seq)
        return RENEW_SECONDS

    def close(self) -> None:
        """See ``Output.close``."""
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.drop()

    # -- the start, and the start over -------------------------------------------------------------

    def _start(self) -> Sender:
        """A new producer, and what is in the topic by the marker."""
        config, place = self._config, Place(self._config, self._id)
        try:
            found = place.find()
            check(config, found)
            limit = found.limit if self._limit is None else self._limit
            self._sender = sender = Sender(
                place, self._id, self._owner, limit, one_by_one=self._one_by_one
            )
            self._marked = self._marked and found.cluster == self._found.cluster
            self._found = found
            self._seq = self._by_marker(place.marker())
        except BaseException:
            self.close()
            raise
        finally:
            place.close()
        return sender

    def _by_marker(self, found: Marker | None) -> int:
        """The last batch that is in the topic; HaltedError where only a person can say it."""
        known, newest = self._seq, self._newest
        marker = None if found is None else found.seq
        if found is not None and self._opened and found.owner != self._owner:
            raise HaltedError(
                f"the output {self._name}: another process delivers the rows of this store to the"
                f" topic {self._config.topic}",
                hint="two processes have one store, or copies of it: stop one for good",
            )
        if newest is not None and marker is not None and marker > newest:
            self._doubt(
                f"rows up to batch {marker} of this store were delivered to the topic"
                f" {self._config.topic}, but the store has made none after {newest}: it is an older"
                " copy"
            )
            return known
        if marker is not None and marker >= known:
            return marker
        waiting = known >= 0 if newest is None else newest > known
        if self._marked and waiting:
            self._doubt(
                f"the consumer group {self._id} does not say any more how far the rows of this"
                f" store were delivered to the topic {self._config.topic}, and some may have been"
                " delivered that the store does not know of"
            )
        return known

    def _doubt(self, what: str) -> None:
        if self._config.on_doubt == "deliver":
            return
        raise HaltedError(
            f"the output {self._name}: {what}",
            hint="look which rows the topic has; 'tailrace run PIPELINE --set"
            f" outputs.{self._name}.kafka.on_doubt=deliver' delivers all that wait, some perhaps a"
            " second time; or begin with a new store and a new topic",
        )

    # -- one batch ---------------------------------------------------------------------------------

    def _send(self, sender: Sender, rows: Messages, seq: int) -> None:
        seconds = min(SEND_SECONDS + rows.bytes / BYTES_A_SECOND, LONGEST_SEND_SECONDS)
        try:
            sender.send(rows, seq, seconds)
        except TooLargeError as error:
            if self._one_by_one:
                self._limit = error.size + FRAME_BYTES - 1
            self._one_by_one = True
            self.close()
            raise
        except BaseException:
            self.close()
            raise
        self._seq, self._marked = seq, True
        self._renew_at = self._clock() + RENEW_SECONDS

    def _partitions(self, wanted: int) -> int:
        """How many partitions the topic has; asked again where that isn't enough."""
        if wanted > self._found.partitions:
            place = Place(self._config, self._id)
            try:
                self._found = place.find()
            finally:
                place.close()
        return self._found.partitions

    def _state(self) -> State:
        return {"cluster": self._found.cluster, "topic": self._config.topic, "seq": self._seq}


def check(config: KafkaOutput, found: Found) -> None:
    """OutputError if the topic can't take the rows as they will be."""
    if found.keyed and config.key is None:
        raise OutputError(
            f"the topic {config.topic} is compacted: its messages need keys",
            hint='name what identifies a row, such as key: "{id}", or take another topic',
        )
