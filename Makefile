# The two commands of the README are `make report` and `make test`; both install what they need.

PYTHON ?= python3
PYTEST ?=
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Many container images set this. Then each stage would compile all modules of torch again, for longer
# than it takes to import them.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help report test lint format params pretrained install lock clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

report: install ## Run the whole pipeline: figures in results/report_figs/index.html
	@hw2 plan --exit-code; case $$? in \
	  0) ;; \
	  2) exit 2 ;; \
	  *) hw2 doctor --quiet && snakemake --cores all results/report_figs ;; \
	esac
	@hw2 compare || true  # a copy without Git has no run to compare with
	@echo "open results/report_figs/index.html"

# A worker for each core, one thread each.
test: install ## Run the tests; PYTEST="-m 'not slow'" adds options
	OMP_NUM_THREADS=1 pytest --numprocesses auto --dist worksteal $(PYTEST)

lint: install ## Run every linter and the type checker
	ruff check .
	ruff format --check .
	mypy
	lint-imports
	snakefmt --check Snakefile workflow/grid.smk
	snakemake --lint

format: install ## Format all code
	ruff check --fix .
	ruff format .
	snakefmt Snakefile workflow/grid.smk

params: install ## Regenerate the comments of params.yaml and its JSON schema
	hw2 params --write

# Hours of training; interrupted, it goes on where it stopped.
pretrained: install ## Make the models in data/pretrained anew
	hw2 profile pretrain
	dvc repro clip_evaluate faces_evaluate personalization_evaluate
	hw2 export-models
	hw2 profile demo

install: .venv/installed ## Install into .venv, from the lock

# The lock pins every package; uv installs in half a minute what takes pip four.
UV := .venv/bin/uv pip install --quiet --python .venv/bin/python

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "make: $(PYTHON) is Python %d.%d; hw2 needs 3.11 or later: make PYTHON=python3.11" % sys.version_info[:2])'
	@echo "installing into .venv, about 6 GB, once"
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.8
	$(UV) --requirement requirements.lock
	$(UV) --no-deps --no-build-isolation --editable .
	.venv/bin/python -m hw2.pipeline.plain_dvc
	@touch $@

lock: install ## Resolve requirements.lock anew
	.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --extra dev --no-header pyproject.toml constraints.in --output-file requirements.lock

clean: ## Remove the environment and the caches of the tools
	rm -rf .venv .snakemake .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
