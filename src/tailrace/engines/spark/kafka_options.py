"""The pipeline's options of librdkafka as those of Kafka's Java client, which Spark reads with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tailrace.errors import SourceError

if TYPE_CHECKING:
    from tailrace.config import KafkaSource

_SAME = (
    "security.protocol",
    "sasl.mechanism",
    "client.id",
    "request.timeout.ms",
    "client.dns.lookup",
)
_MECHANISMS = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}
_READ = {"sasl.mechanisms", "sasl.username", "sasl.password", "ssl.ca.location"} | {
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.key.password",
    "ssl.endpoint.identification.algorithm",
}


def untranslated(source: KafkaSource) -> tuple[str, ...]:
    """Options that have no counterpart here."""
    return tuple(sorted(set(source.options) - _READ - set(_SAME)))


def java_options(source: KafkaSource) -> dict[str, str]:
    """Options of Spark's Kafka source; what is ``untranslated`` was refused before."""
    given = source.options
    found = {
        "kafka.bootstrap.servers": source.bootstrap,
        "kafka.isolation.level": "read_committed",
    }
    found |= {f"kafka.{name}": given[name] for name in _SAME if name in given}
    mechanism = given.get("sasl.mechanism", given.get("sasl.mechanisms"))
    if mechanism is not None:
        found["kafka.sasl.mechanism"] = mechanism
        module = _MECHANISMS.get(mechanism)
        if module is not None:
            user, password = (_quoted(given.get(f"sasl.{n}", "")) for n in ("username", "password"))
            found["kafka.sasl.jaas.config"] = (
                f"{module} required username={user} password={password};"
            )
    if "ssl.ca.location" in given:
        found["kafka.ssl.truststore.type"] = "PEM"
        found["kafka.ssl.truststore.certificates"] = _text(given["ssl.ca.location"])
    if "ssl.certificate.location" in given:
        found["kafka.ssl.keystore.type"] = "PEM"
        found["kafka.ssl.keystore.certificate.chain"] = _text(given["ssl.certificate.location"])
        found["kafka.ssl.keystore.key"] = _text(given.get("ssl.key.location", ""))
    if "ssl.key.password" in given:
        found["kafka.ssl.key.password"] = given["ssl.key.password"]
    algorithm = given.get("ssl.endpoint.identification.algorithm")
    if algorithm is not None:
        found["kafka.ssl.endpoint.identification.algorithm"] = (
            "" if algorithm == "none" else algorithm
        )
    return found


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise SourceError(f"{path} can't be read: {error.strerror}") from error


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
