"""Libraries that a pipeline needs and that aren't installed here, with the extra that has them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

from tailrace.config import HttpSource, KafkaSource
from tailrace.errors import Problem

if TYPE_CHECKING:
    from tailrace.config import Loaded

_BY_KIND: dict[str, tuple[str, tuple[str, ...]]] = {
    "kafka": ("kafka", ("confluent_kafka",)),
    "opensearch": ("opensearch", ("urllib3",)),
    "sql": ("sql", ("sqlalchemy",)),
    "redis": ("redis", ("redis",)),
    "webhook": ("http", ("urllib3",)),
    "alertmanager": ("http", ("urllib3",)),
}
"""By kind of an output: the extra, and what must be there."""
_DRIVERS = {"postgresql": "psycopg", "mysql": "pymysql", "mariadb": "pymysql"}
_WEB = ("starlette", "uvicorn", "prometheus_client")


def missing_libraries(loaded: Loaded) -> Iterator[Problem]:
    """What a run would refuse, because of a library."""
    config = loaded.config
    source = config.source
    if isinstance(source, KafkaSource):
        yield from _missing(loaded, ("source",), "the source", "kafka", ("confluent_kafka",))
    elif isinstance(source, HttpSource):
        yield from _missing(loaded, ("source",), "the source", "http", ("h11",))
    for name, output in config.outputs.items():
        if output.kind in _BY_KIND:
            extra, modules = _BY_KIND[output.kind]
            if output.sql is not None:
                driver = _DRIVERS.get(output.sql.url.partition("://")[0].partition("+")[0])
                modules += () if driver is None else (driver,)
            what = f"the output '{name}'"
            yield from _missing(loaded, ("outputs", name), what, extra, modules)
    if config.web is not None:
        yield from _missing(loaded, ("web",), "web", "http", _WEB)


def _missing(
    loaded: Loaded, place: tuple[str, ...], what: str, extra: str, modules: tuple[str, ...]
) -> Iterator[Problem]:
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        noun = "library" if len(missing) == 1 else "libraries"
        yield Problem(
            f"{what} needs the {noun} {', '.join(missing)}; a run is refused",
            loaded.positions.where_key(place),
            f"pip install 'tailrace[{extra}]'",
        )
