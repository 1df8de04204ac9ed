# The two commands of a visitor, `make reproduce` and `make test`, each from a fresh clone to a result.
#
# They run in the environment that is active (VIRTUAL_ENV or CONDA_PREFIX), or else in .venv, which is made when
# it is missing. Written for GNU make 3.81 and newer.

VENV ?= .venv
PYTHON ?=
EXTRAS ?= test,figures,training
PYTEST ?= -n auto --maxprocesses 8 --dist worksteal

# A path may hold any character: its dollars are not make's (value), nor its apostrophes the shell's (quoted).
quoted = '$(subst ','\'',$(1))'
environment := $(or $(value VIRTUAL_ENV),$(value CONDA_PREFIX),$(value VENV))
python := $(call quoted,$(environment)/bin/python)
own := $(call quoted,$(value VENV))
wanted := $(call quoted,$(value PYTHON))
extras := $(call quoted,$(value EXTRAS))
new_enough := import sys; sys.exit(sys.version_info < (3, 11))
sources := support theory numerics training figures tests setup_env.py
ledger := results/theory.md results/theory.json results/theory.tex
bounds := results/bounds.md results/bounds.json
tables := results/tables.md results/tables.tex results/records.jsonl

.DEFAULT_GOAL := help
.PHONY: help install reproduce figures test lint coq clean

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
	  if [ -n $(wanted) ]; then set -- $(wanted); \
	  else set -- python3 python3.13 python3.12 python3.11; fi; \
	  for candidate in "$$@"; do \
	    if "$$candidate" -c '$(new_enough)' 2>/dev/null; then \
	      exec "$$candidate" setup_env.py create $(call quoted,$(environment)) --own $(own); \
	    fi; \
	  done; \
	  printf '%s\n' "setup: Python 3.11 or newer is needed, tried $$*: install one or name it, PYTHON=/path/to/python3.12" >&2; \
	  exit 2; \
	fi
	@$(python) -c '$(new_enough)' || { \
	  printf 'setup: the environment %s runs a Python older than 3.11: use a newer one\n' $(call quoted,$(environment)) >&2; \
	  exit 2; }
	@$(python) setup_env.py install --extras $(extras) --asked $(wanted)

reproduce: install ## Produce everything the project can, in results/: ledger, bounds, compact table, figures, one page
	@echo 'reproduce: adversaries of the sentences, as far as they have changed'
	@$(python) -m numerics adversaries
	@echo 'reproduce: theory ledger, and the certificates of its facts'
	@$(python) -m theory report
	@$(python) -m theory verify
	@echo 'reproduce: bounds'
	@$(python) -m numerics bounds > /dev/null
ifneq ($(findstring training,$(EXTRAS)),)
	@echo 'reproduce: compact table'
	@$(python) training/run.py
	@echo 'reproduce: the further curve of Figure 6, the landscapes of Figure 7'
	@$(python) training/run.py --recipe compact-awp+awp0.005 --seeds 3 --autoattack none
	@$(python) -m training.studies.landscape > /dev/null
	@echo 'reproduce: the probe, its small version'
	@$(python) -m training.studies.probe --small > /dev/null
else
	@printf 'reproduce: no compact table, EXTRAS=%s leaves training out\n' $(extras)
endif
	@echo 'reproduce: figures'
	@$(python) -m figures
	@echo 'reproduce: page'
	@$(python) -m figures.page
	@$(python) -m figures.errata
	@for file in $(ledger) $(bounds) $(tables) results/figures/README.md results/index.html results/errata.pdf; do \
	  [ -s $$file ] || { echo "reproduce: $$file was not written" >&2; exit 1; }; \
	done
	@echo
	@echo 'Results: results/index.html has everything on one page, results/errata.pdf the errata to forward;'
	@echo '         beside them theory.md, bounds.md, tables.md and figures/'
	@echo '         (theory.json, bounds.json and records.jsonl to compute with, theory.tex and tables.tex to typeset)'
	@printf 'Next:    %s -m theory show lemma5\n' $(python)

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

coq: install ## Check the certified implications with the kernel of Coq, where coqc is installed
	@command -v coqc > /dev/null || { \
	  echo 'coq: coqc is not installed: `apt-get install coq` or `brew install coq`; 8.16 is known to work' >&2; exit 2; }
	@$(python) -m theory coq
	@cd results && { coqc --version && coqc -q certificates.v; } > certificates.log
	@tail -n 20 results/certificates.log

clean: ## Remove .venv, caches and build leftovers; results/ stays
	@if [ -f $(own)/pyvenv.cfg ]; then rm -rf $(own); fi
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	@find $(sources) -name __pycache__ -type d -prune -exec rm -rf {} +
