"""The tables of a store and their format version.

A store is one DuckDB file. Tables of pane partials are made when their group appears (``panes``);
tables of outputs of kind ``table`` when the output first delivers. A change of meaning of anything
here raises ``FORMAT_VERSION``.
"""

from __future__ import annotations

FORMAT_VERSION = 5
"""Raised by every change that an older or newer Tailrace would misread."""

_REFUSED = """
create table refused (
  output varchar not null, seq bigint not null, row integer not null, id varchar,
  reason varchar not null, body varchar not null, payload blob not null,
  resent boolean not null default false);
"""

_SIZES = """
alter table tailrace_outbox add column size bigint;
update tailrace_outbox set size = octet_length(payload);
"""

_VERDICTS = """
create table verdicts (
  id varchar not null, verdict varchar not null, key varchar not null, state varchar not null,
  live boolean not null, since timestamp not null, until timestamp, reasons varchar not null,
  count bigint not null, body varchar not null);
"""

_REFERENCES = """
create table tailrace_references (
  name varchar not null, version varchar not null, payload blob not null);
"""

MIGRATIONS = {
    "1": ("2", _REFUSED + _SIZES),
    "2": ("3", _VERDICTS),
    "3": ("4", _REFERENCES),
    "4": ("5", ""),  # counts and rows of verdicts have more in them
}
"""What makes a store of one version one of the next."""

TABLES = (
    """
create table tailrace_meta (name varchar primary key, value varchar not null);
create table tailrace_plans (epoch bigint not null, body varchar not null);
create table tailrace_epochs (epoch bigint not null, body varchar not null);
create table tailrace_decisions (
  epoch bigint not null, ordinal integer not null, kind varchar not null, body varchar not null);
create table tailrace_folds (
  rule varchar not null, place varchar not null, body varchar not null);
create table tailrace_dedup (
  partition varchar not null, code varchar not null, time bigint not null);
create table tailrace_outbox (
  seq bigint not null, output varchar not null, rows bigint not null, payload blob not null,
  size bigint);
create table tailrace_outputs (
  output varchar not null, delivered bigint not null, rows bigint not null, body varchar not null);
create table incidents (
  fingerprint varchar not null, rule varchar not null, key varchar not null,
  state varchar not null, reason varchar not null, revision bigint not null,
  started_at timestamp not null, opened_at timestamp not null, last_firing_at timestamp not null,
  resolved_at timestamp, body varchar not null);
create table dead_letters (
  id bigint not null, partition varchar not null, generation bigint not null,
  position bigint not null, code varchar not null, field varchar, reason varchar not null,
  raw blob, replayed boolean not null default false);
"""
    + _REFUSED
    + _REFERENCES
    + _VERDICTS
)
