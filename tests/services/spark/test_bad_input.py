"""What users get wrong, or what breaks, when they run on Spark: said in a few lines."""

import resource
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.servers.kafka import Kafka
from tests.servers.ports import free_port
from tests.servers.process import descendants
from tests.servers.spark import Spark
from tests.services.conftest import skipping
from tests.services.spark.conftest import Made
from tests.services.spark.refusals import Command, Outcome, is_clear, outcomes
from tests.services.spark.runs import Run, agree, on_spark, traffic, with_kafka

PIPELINE = """
name: small
source: {file: {path: in.ndjson}}
time: {field: t, grace: 0s}
fields: {k: text}
rules:
  - {record: seen, by: k, window: 10s, select: {n: count(*)}, to: [rows]}
outputs:
  rows: {file: {path: rows.ndjson}}
store: {path: a.duckdb}
"""
NO_REPOSITORY = """\
<ivysettings><settings defaultResolver="none"/>
<resolvers>
<filesystem name="none"><artifact pattern="FOLDER/[artifact].jar"/></filesystem>
</resolvers>
</ivysettings>
"""
OTHER_PYTHON = """\
#!/bin/sh
shift
exec "{python}" -c 'import runpy, sys, types
import pyspark.worker_util as asked
asked.sys = types.SimpleNamespace(**{{**vars(sys), "version_info": (3, 9, 1)}})
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)' "$@"
"""
"""A Python whose workers say that they are 3.9; ``vars(sys)`` holds what else they ask."""

pytestmark = pytest.mark.timeout(900)


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def small(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "p.yaml").write_text(PIPELINE)
    (folder / "in.ndjson").write_text('{"t": 1, "k": "a"}\n')
    return folder


def test_java(tmp_path: Path) -> None:
    old = "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2\n"
    cases = {
        "none": (None, "there is none in JAVA_HOME"),
        "old": (f"#!/bin/sh\n{old}", "is Java 11; Spark needs 17 or newer"),
        "mute": ("#!/bin/sh\nexit 1\n", "doesn't say which Java it is"),
        "trimmed": (
            "#!/bin/sh\necho 'openjdk version \"17.0.1\"' >&2\necho java.base\n",
            "was built without the module jdk.incubator.vector",
        ),
    }
    folder = small(tmp_path / "p")
    commands = []
    for name, (text, _) in cases.items():
        if text is not None:
            program(tmp_path / name / "bin/java", text)
        env = {"JAVA_HOME": str(tmp_path / name)}
        commands.append(Command(("run", "p.yaml", "--engine", "spark"), folder, env))
    for outcome, (_, words) in zip(outcomes(commands), cases.values(), strict=True):
        is_clear(outcome, words)


def test_a_connector_that_can_not_be_fetched(kafka: Kafka, tmp_path: Path) -> None:
    folder = small(tmp_path / "p")
    settings = tmp_path / "ivy.xml"
    settings.write_text(NO_REPOSITORY.replace("FOLDER", str(tmp_path)))
    source = {"brokers": kafka.address, "topics": [kafka.fresh_topic()]}
    sets = ("--set", "source=" + str({"kafka": source}))
    conf = {"spark.jars.ivySettings": str(settings), "spark.jars.ivy": str(tmp_path / "ivy")}
    (outcome,) = outcomes([Command(("run", "p.yaml", *sets, *on_spark("local[1]", conf)), folder)])
    is_clear(outcome, "Spark can't fetch org.apache.spark:spark-sql-kafka-0-10_2.13", "spark.jars")


def test_what_spark_can_not_start_with(kafka: Kafka, tmp_path: Path) -> None:
    folder = small(tmp_path / "p")
    other = program(tmp_path / "python", OTHER_PYTHON.format(python=sys.executable))
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    sources = [{"brokers": kafka.address, "topics": ["nowhere"]}]
    sources.append({"brokers": kafka.address, "topics": [kafka.fresh_topic()]})
    nowhere, there = (("--set", "source=" + str({"kafka": each})) for each in sources)

    def run(*options: str, **env: str) -> Command:
        name = f"{len(commands)}"
        own = ("--store", f"{name}.duckdb", "--set", f"outputs.rows.file.path={name}.ndjson")
        return Command(("run", "p.yaml", "--until-end", *own, *options), folder, env)

    def expect(command: Command, *words: str) -> None:
        commands.append(command)
        wanted.append(words)

    commands: list[Command] = []
    wanted: list[tuple[str, ...]] = []
    # First: what one run has loaded is there for those after it, too.
    other_jar = tmp_path / "other.jar"
    with zipfile.ZipFile(other_jar, "w") as archive:
        archive.writestr("empty.txt", "")
    expect(run(*there, *on_spark("local[1]", jars=[str(other_jar)])), "kafka", "spark.jars")
    with skipping():
        expect(run(*nowhere, *with_kafka("local[1]")), "nowhere")
    expect(run(*there, *on_spark("local[1]", jars=["gone.jar"])), "gone.jar")
    expect(run(*on_spark("local[1]"), PYSPARK_PYTHON=str(other)), "3.9", f"must be {version}")
    expect(run(*on_spark("local[1]"), PYSPARK_PYTHON="/no/such/python"), "/no/such/python")
    expect(run(*on_spark("nonsense")), "Could not parse Master URL: 'nonsense'")
    dead = f"spark://127.0.0.1:{free_port()}"
    expect(run(*on_spark(dead)), f"no Spark master answers at {dead}")
    for outcome, words in zip(outcomes(commands), wanted, strict=True):
        is_clear(outcome, *words)


def test_a_topic_that_is_deleted_while_it_is_read(kafka: Kafka, tmp_path: Path, run: Made) -> None:
    topic = kafka.fresh_topic(partitions=2)
    kafka.send(topic, [line.rstrip() for line in traffic(1, 500, rate=20.0)])
    source = f"{{kafka: {{brokers: '{kafka.address}', topics: [{topic}]}}}}"
    with skipping():
        spark = run(tmp_path / "spark", source, with_kafka("local[1]"))
    spark.start()
    spark.until(lambda: spark.lines("events") + spark.lines("rejects") >= 490)
    kafka.delete_topic(topic)
    assert spark.ended() == 2, spark.said
    is_clear(Outcome(2, told(spark)), "is not there any more", topic)


@pytest.fixture(scope="module")
def waiting(spark: Spark, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run that asks for more memory than any worker has."""
    folder = tmp_path_factory.mktemp("waiting")
    (folder / "access.ndjson").write_bytes(b"".join(traffic(1, 500, rate=20.0)))
    source = f"{{file: {{path: '{folder}/access.ndjson'}}}}"
    run = Run(folder / "spark", source, on_spark(spark.url, {"spark.executor.memory": "8g"}))
    run.start()
    yield run
    run.end()


@pytest.mark.usefixtures("waiting")  # by the test below: what it waits for takes half a minute
def test_a_checkpoint_on_a_full_disk(tmp_path: Path, run: Made) -> None:
    lines = traffic(2, 2000, rate=100.0)
    log = tmp_path / "access.ndjson"
    log.write_bytes(b"".join(lines[:1000]))
    source = f"{{file: {{path: '{log}', follow: true}}}}"
    spark = run(tmp_path / "spark", source, on_spark("local[1]"))
    spark.start()
    spark.until(lambda: spark.batches("commits"))
    assert spark.process is not None
    # Spark's own processes alone can't write any more; the store's disk has room.
    for pid in descendants(spark.process.pid):
        with suppress(ProcessLookupError):  # one that was about to end
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (100, 100))
    with log.open("ab") as sink:
        sink.writelines(lines[1000:])
    assert spark.ended() == 2, spark.said
    is_clear(Outcome(2, told(spark)), "too large")
    spark.finish()
    plain = run(tmp_path / "embedded", source)
    plain.finish()
    agree(spark.contents(), plain.contents(), spark.said)


def test_a_cluster_without_room(spark: Spark, waiting: Run) -> None:
    waiting.until(lambda: f"{spark.url} has given no executors for" in waiting.said)
    waiting.stop(code=143)


def told(spark: Run) -> str:
    """What a run said at its end."""
    said = (spark.folder / "run.log").read_text()
    return said[said.index("tailrace: ") :]
