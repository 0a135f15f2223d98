# `make demo` and `make test` are each the only command needed on a machine with Python and make: whatever they need is
# installed into .venv first. A second call installs nothing, unless pyproject.toml has changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint types format bench clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## */make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

demo: $(VENV)/.demo  ## restride real climate data; trends, spectra and 2-D FFTs, with plots
	$(BIN)/python -m demo

test: $(VENV)/.test  ## the tests, without the slow ones
	$(BIN)/python -m pytest

test-all: $(VENV)/.test $(VENV)/.bench $(VENV)/.demo  ## the tests, slow ones included
	$(BIN)/python -m pytest -m "slow or not slow"

lint: $(VENV)/.lint  ## ruff's rules and formatting
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.lint $(VENV)/.test $(VENV)/.demo $(VENV)/.bench  ## mypy, over everything that imports
	$(BIN)/mypy

format: $(VENV)/.lint  ## reformat, and fix what ruff can fix
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: $(VENV)/.bench  ## the benchmarks, against dask, polars, duckdb, ray, pyspark and plain numpy; an hour
	$(BIN)/python -m benchmarks overhead
	$(BIN)/python -m benchmarks metg
	$(BIN)/python -m benchmarks shuffle
	$(BIN)/python -m benchmarks restride
	$(BIN)/python -m benchmarks fft2
	$(BIN)/python -m benchmarks workflows
	$(BIN)/python -m benchmarks frame
	$(BIN)/python -m benchmarks h2o
	$(BIN)/python -m benchmarks tpch
	$(BIN)/python -m benchmarks transfer
	$(BIN)/python -m benchmarks network
	$(BIN)/python -m benchmarks kills
	$(BIN)/python -m benchmarks order

clean:  ## remove the environment and all caches
	rm -rf $(VENV) build dist demo-output .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp for each extra of pyproject.toml that has been installed.
$(VENV)/.%: pyproject.toml | $(BIN)/pip
	@echo "Installing restride[$*] into $(VENV) (once; a minute or so)"
	@$(BIN)/pip install --quiet --editable '.[$*]'
	@touch $@

$(BIN)/pip:
	@command -v $(PYTHON) >/dev/null || \
		{ echo "restride needs Python 3.11 or later, and there is no $(PYTHON) here; name yours: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "restride needs Python 3.11 or later, but $(PYTHON) is $$($(PYTHON) -V 2>&1); name another: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
