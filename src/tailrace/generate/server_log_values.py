"""The values of server logs, right and wrong, and how likely each is.

A value is JSON text. Of each field most values are right; the wrong ones are those of the log
producer that this generator stands for. Which events they make is said in `server_logs`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailrace.generate.draws import Codes, pick, weighted_table
from tailrace.generate.rows import Texts

if TYPE_CHECKING:
    from numpy.random import Generator

RARE = 0.01
"""The weight of each wrong value."""

TYPES = (
    "click",
    "purchase",
    "login",
    "log-out",
    "delete-account",
    "create-account",
    "update-settings",
    "other",
)
COUNTRIES = ("US", "IN", "UK", "CA", "AU", "DE", "ES", "FR", "NL", "SG", "RU", "JP", "BR", "CN")
OTHER_COUNTRY = "OT"
DEVICES = {"ANDROID": 1.0, "IOS": 0.08}
ACCOUNTS = 1000
"""Accounts are 1 to this."""
TOO_HIGH = (10_001, 100_000)
"""Wrong account numbers lie here, the last one too."""


def literals(values: tuple[object, ...]) -> Texts:
    """Values as JSON text."""
    return np.array([json.dumps(value).encode("ascii") for value in values])


@dataclass(frozen=True, slots=True)
class Choice:
    """A field's values: the first `right` of them are right."""

    values: Texts
    right: int
    table: Codes

    @classmethod
    def of(cls, right: Mapping[str, float], wrong: tuple[object, ...], errors: float) -> Choice:
        """Values with their weights, and wrong ones, each as rare as `errors` makes it."""
        weights = [*right.values(), *(RARE * errors for _ in wrong)]
        return cls(literals((*right, *wrong)), len(right), weighted_table(weights))

    def draw(self, rng: Generator, rows: int) -> Codes:
        """Draw positions in `values`."""
        return pick(rng, rows, self.table)


@dataclass(frozen=True, slots=True)
class Choices:
    """All fields; of event_id, account_id and event_timestamp the right value is made elsewhere."""

    event_id: Choice
    account_id: Choice
    event_type: Choice
    device: Choice
    location_country: Choice
    event_timestamp: Choice

    @classmethod
    def of(cls, errors: float) -> Choices:
        """The log producer's weights, those of wrong values multiplied by `errors`."""
        countries = (*COUNTRIES, OTHER_COUNTRY)
        return cls(
            event_id=Choice.of({"": 5.0}, ("N/A", None, 0), errors),
            account_id=Choice.of({"": 5.0}, ("N/A", None, TOO_HIGH[0]), errors),
            event_type=Choice.of(_evenly(TYPES, 5.0), ("N/A", None, "---", 0), errors),
            device=Choice.of(DEVICES, (None, "unknown"), errors),
            location_country=Choice.of(
                _evenly(countries, 5.0), ("N/A", None, "unknown", 0), errors
            ),
            event_timestamp=Choice.of({"": 4.0}, ("", "N/A", None, 0), errors),
        )


def _evenly(values: tuple[str, ...], weight: float) -> dict[str, float]:
    return {value: weight / len(values) for value in values}
