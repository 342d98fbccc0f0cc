# hatools: the commands a person needs first are `make demo` and `make test`; `make help` lists all.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PREFIX ?= /usr/local
DESTDIR ?=
DATA ?=
export PYTHONDONTWRITEBYTECODE =

.PHONY: help setup setup-dev demo demo-check test lint types unit unit-pure unit-cluster test-long soak conformance conformance-random bench man install uninstall clean

help:
	@echo "make demo          set up and run a three-node cluster on this machine, with a live view"
	@echo "make demo-check    the same, scripted: kills the serving node and checks that another answers"
	@echo "make test          set up and run every check: lint, types, tests"
	@echo "make test-long     the failures of tests/cluster, 20 rounds each (root, namespaces)"
	@echo "make soak          the simulated clusters with many more seeds"
	@echo "make conformance DATA=FOLDER   measure against recorded data of the original"
	@echo "make conformance-random        2,000 random clusters beside the original's crm_simulate"
	@echo "make bench         measure, with ratios to the real tools where they are installed"
	@echo "make install PREFIX=/usr/local DESTDIR=   and uninstall"

$(VENV)/.base: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("hatools needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python cannot make virtual environments: install the package python3-venv (Debian, Ubuntu: apt-get install python3-venv)"; exit 1; }
	@echo "setting up $(VENV) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	@echo "adding what the tests need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

setup: $(VENV)/.base

setup-dev: $(VENV)/.dev

demo: setup
	@bin/crm lab demo

demo-check: setup
	@bin/crm lab demo --check

test: setup-dev lint types unit

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup-dev
	$(BIN)/mypy

# First what calculates, on every processor; then what runs clusters, two files at once for they mostly wait.
unit: unit-pure unit-cluster

unit-pure: setup-dev
	$(BIN)/python -m pytest --ignore=tests/cluster -n auto --dist worksteal

unit-cluster: setup-dev
	$(BIN)/python -m pytest tests/cluster -n 2 --dist loadfile

test-long: setup-dev
	HATOOLS_ROUNDS=20 $(BIN)/python -m pytest tests/cluster -s

soak: setup-dev
	HATOOLS_SEEDS=5000 HATOOLS_RING_SEEDS=10000 HATOOLS_HEARTBEAT_SEEDS=1000 $(BIN)/python -m pytest tests/scenarios -s --timeout=36000

conformance: setup-dev
	@test -n "$(DATA)" || { echo "give the folder of recorded data: make conformance DATA=FOLDER (see README.md)"; exit 64; }
	$(BIN)/python -m tests.conformance.recorded $(DATA)

conformance-random: setup-dev
	HATOOLS_SEEDS=$(or $(SEEDS),2000) $(BIN)/python -m pytest tests/conformance/test_random_clusters.py --timeout=36000

bench: setup-dev
	$(BIN)/python -m bench

install uninstall:
	@$(PYTHON) packaging/install.py $@ --prefix '$(PREFIX)' --destdir '$(DESTDIR)'

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build dist
