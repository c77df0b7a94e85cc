"""Keys of Redis: each row applied once, because a marker is written in the same transaction.

``server`` knows connections and errors, ``commands`` what a row becomes, ``keys`` the delivery.
"""

from __future__ import annotations

from tailrace.config.outputs import Output as OutputConfig
from tailrace.outputs.extras import extra
from tailrace.outputs.making import OutputContext
from tailrace.outputs.output import Output


def make(name: str, config: OutputConfig, context: OutputContext) -> Output:
    """The output called ``name``, not yet open; OutputError if the library is missing."""
    extra("redis", "redis")
    from tailrace.outputs.redis.keys import RedisKeys
    from tailrace.outputs.redis.server import ANSWER_SECONDS, RedisServer

    options = config.redis
    assert options is not None  # noqa: S101 - that is why it is made here
    server = RedisServer(options, ANSWER_SECONDS)
    return RedisKeys(options, server, f"tailrace:{context.store_id}:{name}")
