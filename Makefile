# 'make help' lists the targets. Everything is installed into .venv, from the hashed locks.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
PACKAGE := $(VENV)/.package

TESTS ?= tests
# So many tests run at a time, servers of one folder only (tests/lanes.py).
WORKERS ?= $(if $(filter tests,$(TESTS)),2,0)
PYTEST_ARGS ?=
# Pages that are printed by the code they describe, and the modules that print them.
PAGES := pipeline:tailrace.config.reference semantics-decoding:tailrace.formats.reference
# Of these only what follows the mark is printed.
HALVES := expressions:tailrace.expr.reference spark:tailrace.engines.spark.reference
LOCK := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-header

.DEFAULT_GOAL := help
.PHONY: help demo demo-nginx dev test check format soak bench services docs lock clean servers

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(PACKAGE) ## watch a pipeline detect attacks in made-up logs (DEMO_SECONDS=n to stop after n)
	$(if $(DEMO_SECONDS),DEMO_SECONDS=$(DEMO_SECONDS)) $(BIN)/tailrace demo

dev: $(DEV) $(PACKAGE) ## make .venv with everything that the targets below need

test: dev servers ## run the unit, conformance and service tests (TESTS=path for some)
	@mkdir -p .cache
# Standard error is shown if something failed: DuckDB's bindings may speak there at exit of what a
# killed engine left behind, and pytest's closing line is to be the last.
	@$(BIN)/python -m pytest -n $(WORKERS) $(TESTS) $(PYTEST_ARGS) 2>.cache/test.stderr \
		|| { cat .cache/test.stderr >&2; exit 1; }

check: dev ## lint, formatting, types, layering
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --cache-dir .cache/import_linter

format: dev ## format the code and fix what can be fixed
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

soak: dev servers ## run the tests that take minutes
	@$(BIN)/python -m pytest -m soak --timeout 3600 $(TESTS) $(PYTEST_ARGS)

bench: dev ## run the benchmarks: ratios against a baseline in the same run
	@for script in $(sort $(wildcard benchmarks/bench_*.py)); do \
		echo "== $$script"; $(BIN)/python $$script || exit 1; done

services: dev servers ## start Kafka, OpenSearch, Redis, PostgreSQL and MariaDB to play with
	@$(BIN)/python -m tests.servers $(SERVERS)

demo-nginx: dev servers ## watch goals over nginx logs between Kafka and OpenSearch (DEMO_SECONDS=n)
	@$(if $(DEMO_SECONDS),DEMO_SECONDS=$(DEMO_SECONDS)) $(BIN)/python -m tests.servers.demo_nginx

docs: dev ## write the generated parts of docs/
	@for page in $(PAGES); do \
		$(BIN)/python -m "$${page#*:}" > "docs/$${page%%:*}.md.new" && \
		mv "docs/$${page%%:*}.md.new" "docs/$${page%%:*}.md" || exit 1; done
	@for page in $(HALVES); do file="docs/$${page%%:*}.md"; \
		sed '/^<!-- From here on:/q' "$$file" > "$$file.new" && \
		{ echo; $(BIN)/python -m "$${page#*:}"; } >> "$$file.new" && \
		mv "$$file.new" "$$file" || exit 1; done

lock: $(DEV) ## choose dependency versions anew (UPGRADE=1: the newest) and write their hashes
	$(LOCK) $(if $(UPGRADE),--upgrade) --group build --output-file requirements.lock
	$(LOCK) $(if $(UPGRADE),--upgrade) --extra all --group build \
		--constraint requirements.lock --constraint tools/constraints.txt \
		--output-file requirements-all.lock
	$(LOCK) $(if $(UPGRADE),--upgrade) --extra all --extra spark --group dev \
		--constraint requirements-all.lock --output-file requirements-dev.lock

clean: ## remove .venv, caches and build results
	rm -rf $(VENV) .cache .hypothesis .ruff_cache build dist
	find src tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

# What the servers of the tests are started from; installed and fetched once.
servers:
	@tools/debian-packages chromium nginx wrk redis-server prometheus-alertmanager mariadb-server=mariadbd \
		postgresql=postgres default-jdk-headless=javac maven=mvn
	@tools/server-jars
# What starts Spark in the tests starts sooner with its classes at hand.
	@[ ! -x $(BIN)/python ] || $(BIN)/python -m tests.services.spark.classes

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# pip finds nothing to do where the lock's versions are installed already.
$(RUNTIME): requirements.lock | $(BIN)/python
	$(PIP) install --require-hashes -r requirements.lock
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

# Editable, built by the locked hatchling. Again when entry points or the version may have changed.
$(PACKAGE): pyproject.toml $(RUNTIME)
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
