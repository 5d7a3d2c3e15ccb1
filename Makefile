# The project's commands. Python 3.11 or newer and the package registries are all they assume.
.PHONY: demo demo-reset test bench fmt lock audit setup
.DEFAULT_GOAL := demo
PYTHON ?= $(shell command -v python3 2>/dev/null || command -v python3.13 2>/dev/null || command -v python3.12 2>/dev/null || command -v python3.11 2>/dev/null)
VENV_PYTHON := .venv/bin/python
# Every process imports the same few hundred modules: compiled once, they load five times as fast.
unexport PYTHONDONTWRITEBYTECODE
BOOTSTRAP := $(or $(PYTHON),echo "Python 3.11 or newer is needed: set PYTHON to one" >&2; false) -m devtools.bootstrap

demo: setup
	@exec $(VENV_PYTHON) -m devtools.demo_server

demo-reset: setup
	@exec $(VENV_PYTHON) -m devtools.demo_server --reset

setup:
	@$(BOOTSTRAP)

test:
	@$(BOOTSTRAP) --tests
	@exec $(VENV_PYTHON) -m devtools.checks

bench: setup
	@exec $(VENV_PYTHON) -m benchmarks

fmt: setup
	@$(VENV_PYTHON) -m ruff check --fix --quiet . || true
	@$(VENV_PYTHON) -m ruff format .
	@$(VENV_PYTHON) -m djlint --reformat --quiet templates || true

# Needs the network beyond the registries, so it is no part of `make test`.
audit: setup
	@$(VENV_PYTHON) -m pip_audit --requirement requirements/base.txt --require-hashes --disable-pip

lock: setup
	@for name in base dev; do \
	  $(VENV_PYTHON) -m uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header \
	    --python-version 3.11 requirements/$$name.in --output-file requirements/$$name.txt || exit 1; \
	done
	@npm install --package-lock-only --ignore-scripts
