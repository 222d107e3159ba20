# The two commands of the README are `make report` and `make test`; both install what they need.

PYTHON ?= python3
PYTEST ?=
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: report test lint format install lock clean

report: install
	@hw2 plan
	snakemake --cores all results/report_figs
	@echo "open results/report_figs/index.html"

# A worker for each core, one thread each.
test: install
	OMP_NUM_THREADS=1 pytest --numprocesses auto --dist worksteal $(PYTEST)

lint: install
	ruff check .
	ruff format --check .
	mypy
	lint-imports
	snakefmt --check Snakefile
	snakemake --lint

format: install
	ruff check --fix .
	ruff format .
	snakefmt Snakefile

install: .venv/installed

# The lock pins every package; uv installs in half a minute what takes pip four.
UV := .venv/bin/uv pip install --quiet --python .venv/bin/python

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "make: $(PYTHON) is Python %d.%d; hw2 needs 3.11 or later: make PYTHON=python3.11" % sys.version_info[:2])'
	@echo "installing into .venv, about 6 GB, once"
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.8
	$(UV) --requirement requirements.lock
	$(UV) --no-deps --no-build-isolation --editable .
	@touch $@

lock: install
	.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --extra dev --no-header pyproject.toml constraints.in --output-file requirements.lock

clean:
	rm -rf .venv .snakemake .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
