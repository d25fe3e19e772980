# One word a task. Each works from a clean clone with Python 3.11, git and make.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCK = uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11

.PHONY: demo test lint docs bench lock clean

demo: $(VENV)/.run  ## Audit the example blog and show what is open
	@echo '$$ stopper audit examples/blog'
	@$(BIN)/stopper audit examples/blog || test $$? -eq 1

test: $(VENV)/.dev  ## Run every test
	$(BIN)/python -m pytest

lint: $(VENV)/.dev  ## Check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.dev  ## Build the documentation into docs/_build/html
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html

bench: $(VENV)/.dev  ## Measure speed, memory and accuracy; bandit, ruff and semgrep join in where they are on PATH
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/accuracy.py
	$(BIN)/python benchmarks/first_sight.py
	$(BIN)/python benchmarks/overhead.py

lock:  ## Compile the pinned requirements anew (needs uv)
	$(LOCK) pyproject.toml requirements/build.in --output-file requirements/run.txt
	$(LOCK) pyproject.toml requirements/build.in requirements/dev.in --output-file requirements/dev.txt

clean:  ## Remove what the other words made
	rm -rf $(VENV) docs/_build docs/rules build dist

$(VENV)/.run: requirements/run.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r requirements/run.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@
