# Everything works from a bare machine: the targets make their own virtual environment.
# torch is installed first and alone: a later `pip install` then finds it there instead of choosing a build of its own.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TORCH ?= torch==2.13.0
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export TOKENIZERS_PARALLELISM := false

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint bench-faults docs clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "make %-13s %s\n", $$1, $$2}'

$(VENV)/.core: pyproject.toml hatch_build.py src/truetune/_compiled.c
	$(PYTHON) -c 'import sys; sys.exit("truetune needs Python 3.11 or newer; call make PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet '$(TORCH)'
	$(BIN)/python -m pip install --quiet --editable '.[train]'
	touch $@

$(VENV)/.dev: $(VENV)/.core
	$(BIN)/python -m pip install --quiet --editable '.[train,semantic,dev]'
	touch $@

demo: $(VENV)/.core  ## the built-in example, from raw data to a verdict and a report
	$(BIN)/truetune demo build/demo || { code=$$?; test $$code -eq 1 -o $$code -eq 4; }

test: $(VENV)/.dev  ## unit, contract, docs and one end-to-end test on the real small model
	$(BIN)/python -m pytest -n 2 -m 'not slow and not real_model'
	$(BIN)/python -m pytest -m 'real_model and not slow'

test-all: $(VENV)/.dev  ## everything, the slow ones too
	$(BIN)/python -m pytest

lint: $(VENV)/.dev  ## style, types, layers, docstrings
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench-faults: $(VENV)/.dev  ## recall and false alarms of every check on planted faults
	$(BIN)/python -m benchmarks.faults.run

docs: $(VENV)/.dev  ## write docs/reference/ from the code
	$(BIN)/python docs/generate.py

clean:  ## remove what the targets made
	rm -rf $(VENV) build
