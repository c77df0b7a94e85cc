"""docs/spark.md: its tables are printed by the code, and say all that there is."""

from pathlib import Path

from pydantic import BaseModel

from tailrace.config.source import SourceForm
from tailrace.config.spark import RESERVED
from tailrace.engines.spark.launching import CONNECTOR
from tailrace.engines.spark.reference import MARKER, RULES, SOURCES, reference
from tailrace.engines.spark.settings import DEFAULTS
from tailrace.plan import model
from tailrace.plan.classify import Classification

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs/spark.md").read_text()


def test_is_printed() -> None:
    head, mark, tail = PAGE.partition(MARKER)
    assert head
    assert mark
    assert tail == f"\n\n{reference()}", "make docs"


def test_every_kind_of_source_and_rule_is_told() -> None:
    assert issubclass(SourceForm, BaseModel)
    assert set(SOURCES) == set(SourceForm.model_fields)
    assert set(RULES) == {model.Rule, model.EventRule, Classification}


def test_settings_have_reasons_and_what_is_fixed_has_no_second_word() -> None:
    assert all(setting.reason for setting in DEFAULTS)
    names = [setting.name for setting in DEFAULTS]
    assert len(set(names)) == len(names)
    assert all(name in PAGE for name in names)
    assert set(RESERVED) - set(names) == {
        "spark.master",
        "spark.jars",
        "spark.sql.shuffle.partitions",
        "spark.sql.execution.arrow.useLargeVarTypes",
    }


def test_the_page_names_the_connector() -> None:
    artifact = CONNECTOR.partition(":")[2]
    assert f"{artifact}-4.2.0.jar" in PAGE
