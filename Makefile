# Vitral's two commands: `make run` (see it) and `make test` (check all of it).
# Everything they need goes into .venv; only Python 3.11 or newer and make must be there.

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm --prefix web

.PHONY: run test check parity format clean
.DEFAULT_GOAL := run

run: .venv/.studio  ## Open Studio on the bundled models at http://127.0.0.1:8321
	$(BIN)/vitral studio

# Two processes of tests whose every operation is spread over both cores wait for each other.
test: .venv/.developer web/node_modules/.package-lock.json  ## Run every test
	$(BIN)/python hatch_build.py
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile
	$(NPM) test

check: .venv/.developer web/node_modules/.package-lock.json  ## Style, types, imports, documentation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_import_direction.py tests/test_import_circles.py tests/test_private_members.py
	$(NPM) run check
	$(BIN)/python -m pytest -q tests/test_import_direction.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

parity: .venv/.developer  ## Every architecture of transformers beside its eager attention
	$(BIN)/python tests/parity/sweep.py
	$(BIN)/python tests/parity/page.py

format: .venv/.developer
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Vitral needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv

# The package is installed in place; its front end is built when the package is.
.venv/.studio: .venv/bin/python pyproject.toml constraints.txt hatch_build.py $(shell git ls-files web src/vitral/assets/messages 2>/dev/null)
	$(INSTALL) -e .
	touch $@

.venv/.developer: .venv/.studio
	$(INSTALL) -e '.[test,check]'
	touch $@

web/node_modules/.package-lock.json: web/package-lock.json | .venv/.developer
	$(NPM) ci --no-audit --no-fund

clean:
	rm -rf .venv web/node_modules src/vitral/studio/static dist site
