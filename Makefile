# The two commands of a visitor, `make reproduce` and `make test`, each from a fresh clone to a result.
#
# They run in the environment that is active (VIRTUAL_ENV or CONDA_PREFIX), or else in .venv, which is made when
# it is missing. Written for GNU make 3.81 and newer.

VENV ?= .venv
PYTHON ?=
EXTRAS ?= test,figures,training
PYTEST ?= -n auto --maxprocesses 8 --dist worksteal

environment := $(or $(VIRTUAL_ENV),$(CONDA_PREFIX),$(VENV))
python := "$(environment)/bin/python"
new_enough := import sys; sys.exit(sys.version_info < (3, 11))
sources := theory numerics training figures tests setup_env.py
ledger := results/theory.md results/theory.json results/theory.tex
bounds := results/bounds.md results/bounds.json

.DEFAULT_GOAL := help
.PHONY: help install reproduce figures test lint clean

help: ## Show the targets and the variables they heed
	@echo 'Usage: make TARGET [VARIABLE=value ...]'
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'Variables'
	@echo '  PYTHON     interpreter for a new environment, 3.11 or newer (default: python3, else the newest found)'
	@echo '  VENV       where that environment lies (default: .venv); an active environment is used instead'
	@echo '  EXTRAS     extras of pyproject.toml to install (default: test,figures,training), such as test,figures'
	@echo '  PYTEST     options for pytest in `make test` (default: -n auto --maxprocesses 8 --dist worksteal)'

install: ## Set up: the active environment or .venv, with the tested versions
	@if [ ! -x $(python) ]; then \
	  if [ -n "$(PYTHON)" ]; then set -- "$(PYTHON)"; \
	  else set -- python3 python3.13 python3.12 python3.11; fi; \
	  for candidate in "$$@"; do \
	    if "$$candidate" -c '$(new_enough)' 2>/dev/null; then \
	      exec "$$candidate" setup_env.py create "$(environment)" --own "$(VENV)"; \
	    fi; \
	  done; \
	  echo "setup: Python 3.11 or newer is needed, tried $$*: install one or name it, PYTHON=/path/to/python3.12" >&2; \
	  exit 2; \
	fi
	@$(python) -c '$(new_enough)' || { \
	  echo 'setup: the environment $(environment) runs a Python older than 3.11: use a newer one' >&2; exit 2; }
	@$(python) setup_env.py install --extras "$(EXTRAS)" --asked "$(PYTHON)"

reproduce: install ## Produce everything the project can, in results/: theory ledger, measured bounds, figures
	@echo 'reproduce: theory ledger'
	@$(python) -m theory report
	@echo 'reproduce: bounds'
	@$(python) -m numerics bounds > /dev/null
	@echo 'reproduce: figures'
	@$(python) -m figures
	@for file in $(ledger) $(bounds) results/figures/README.md; do \
	  [ -s $$file ] || { echo "reproduce: $$file was not written" >&2; exit 1; }; \
	done
	@echo
	@echo 'Results: results/theory.md the verdicts, results/bounds.md the bounds measured, results/figures/ the figures'
	@echo '         (theory.json and bounds.json to compute with, theory.tex to typeset, figures/README.md to look through)'
	@echo 'Next:    $(environment)/bin/python -m theory show lemma5'

figures: install ## Draw the figures, in results/figures/
	@$(python) -m figures

test: lint ## Check everything: style, types, every claim and every twin that must fail
	@echo 'test: pytest'
	@$(python) -m pytest $(PYTEST)

lint: install ## Check style and types alone
	@echo 'lint: ruff check'
	@$(python) -m ruff check $(sources)
	@echo 'lint: ruff format --check'
	@$(python) -m ruff format --check $(sources)
	@echo 'lint: mypy'
	@$(python) -m mypy

clean: ## Remove .venv, caches and build leftovers; results/ stays
	@if [ -f "$(VENV)/pyvenv.cfg" ]; then rm -rf "$(VENV)"; fi
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	@find $(sources) -name __pycache__ -type d -prune -exec rm -rf {} +
