"""``tailrace package``: what ``spark-submit --archives`` needs, and the commands that use it."""

from __future__ import annotations

from pathlib import Path

import click

from tailrace.cli.columns import number, size
from tailrace.cli.printable import one_line

_EPILOG = """\
\b
Examples:
  tailrace package pipeline.yaml
  tailrace package pipeline.yaml -o /srv/tailrace/nginx.tar.gz
"""

_COMMANDS = """\
On the machine that starts the run (the driver), in the folder for its store, once:
  mkdir -p environment && tar -xzf {archive} -C environment
  export PYSPARK_PYTHON=./environment/bin/python PYSPARK_DRIVER_PYTHON=./environment/bin/python

Standalone cluster (spark.checkpoint in a folder that all machines share):
  spark-submit --master spark://HOST:7077 --archives {archive}#environment \\
    environment/run.py run environment/{pipeline} --store {name}.duckdb \
    --engine spark --master spark://HOST:7077

YARN (HADOOP_CONF_DIR is set; spark.checkpoint in hdfs:):
  spark-submit --master yarn --deploy-mode client --archives {archive}#environment \\
    environment/run.py run environment/{pipeline} --store {name}.duckdb \
    --engine spark --master yarn

Kubernetes (from a pod that the executors reach; spark.checkpoint on a volume or store they share):
  spark-submit --master k8s://https://HOST:6443 --deploy-mode client \\
    --conf spark.kubernetes.container.image=IMAGE --conf spark.driver.host=ADDRESS_OF_THIS_POD \\
    --archives {archive}#environment \\
    environment/run.py run environment/{pipeline} --store {name}.duckdb \
    --engine spark --master k8s://https://HOST:6443
"""


@click.command("package", epilog=_EPILOG)
@click.argument("pipeline", required=False, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The archive; by default NAME.tar.gz.",
)
def command(*, pipeline: Path | None, out: Path | None) -> None:
    """Pack this Python, its libraries and PIPELINE for the workers of a Spark cluster.

    The archive runs wherever it is unpacked, on the same operating system; workers need no Python
    of their own. It doesn't hold Spark. Prints the commands that run the pipeline with it.
    """
    from tailrace.cli.finding import find_pipeline
    from tailrace.engines.spark.launching import SparkMissingError, missing_libraries
    from tailrace.engines.spark.packing import PIPELINE, pack
    from tailrace.engines.spark.support import refuse
    from tailrace.plan.compile import check_file

    path = find_pipeline(pipeline)
    loaded, plan = check_file(path)
    refuse(loaded.config, loaded.positions)
    missing = missing_libraries()
    if missing:
        raise SparkMissingError(problems=tuple(missing))
    archive = out or Path(f"{plan.name}.tar.gz")
    packed = pack(archive, path.read_text(encoding="utf-8"))
    told = one_line(str(packed.path))
    click.echo(f"{told}: {size(packed.bytes)}, {number(packed.files)} files\n")
    click.echo(_COMMANDS.format(archive=told, pipeline=PIPELINE, name=plan.name), nl=False)
