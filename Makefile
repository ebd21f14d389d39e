# The same commands for people and CI. `make demo` and `make test` need nothing before them.

VENV  := .venv
BIN   := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: setup demo serve check lint test soak browser lock audit
.DEFAULT_GOAL := setup

# .venv holds what the lock names, byte for byte, and the command orderhub.
setup: $(READY)

$(READY): requirements.txt pyproject.toml
	@test -x $(BIN)/python || { \
	  for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; python=; \
	  done; \
	  test -n "$$python" || { echo "orderhub needs Python 3.11 or newer: no python3 here is (name one with make PYTHON=...)" >&2; exit 1; }; \
	  "$$python" -c 'import ensurepip, venv' 2>/dev/null || { \
	    test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq python3-venv; } || { \
	    echo "orderhub needs Python's venv module: apt-get install python3-venv" >&2; exit 1; }; \
	  echo "making $(VENV) with $$python"; \
	  "$$python" -m venv $(VENV); }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# The main job to its end on simulated systems: captured, posted, reconciled, with a report to open.
demo: setup
	$(BIN)/orderhub demo --no-serve

# The hub on the state that the demo left (or on what is in ./.orderhub), until it is told to stop.
serve: setup
	$(BIN)/orderhub serve --no-login

lint: setup
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache

# The fast inner loop.
check: lint
	$(BIN)/pytest -q -m "not slow and not browser and not postgres"

# Everything.
test: lint browser
	$(BIN)/pytest -n 2

# Real processes, stores, broker and simulators while all of it fails: `make soak ARGS="--orders 5000 --minutes 60 --seed 7"`.
soak: setup
	$(BIN)/python -m tests.soak $(ARGS)

# Chromium for the tests that look at a page; installed where this machine lets us, otherwise they skip and say so.
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	|| { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	     && echo "installing chromium for the browser tests" \
	     && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } \
	|| echo "no chromium here: the browser tests will skip (Debian: apt-get install chromium)"

# requirements.txt follows pyproject.toml, and requirements-run.txt, what an image installs, follows requirements.txt;
# for every platform, hashes of every wheel. `make lock ARGS=--upgrade` moves versions.
lock:
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile pyproject.toml --extra machines --group dev --no-config \
	  --universal --generate-hashes --quiet --output-file requirements.txt $(ARGS)
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile pyproject.toml --extra machines --group build --no-config \
	  --universal --generate-hashes --quiet --constraint requirements.txt --output-file requirements-run.txt

# What is publicly known against the locked versions. Without its data it says "not run" and fails: that is no clean bill.
audit: setup
	$(BIN)/python tests/audit.py
