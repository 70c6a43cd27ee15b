# Everything a newcomer needs. `make help` lists the targets.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help env site update test lab check lint format lock clean

help: ## list what make can do here
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: $(READY) ## make or refresh the virtual environment in .venv

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "tickerbook needs Python 3.11 or later; $(PYTHON) is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@echo "Making the environment in $(VENV) (a minute or two, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/jupyter kernelspec install --sys-prefix --log-level=ERROR --name tickerbook lib/tickerbook/runs/kernelspec
	@touch $@

site: env ## real sample prices to a finished site in _site/
	@$(BIN)/tickerbook update

test: env ## the whole test suite
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

lab: env ## JupyterLab on notebooks/, with the project's kernel
	@$(BIN)/tickerbook lab

check: env ## is everything here that tickerbook needs?
	@$(BIN)/tickerbook check

lint: env ## ruff and mypy, as the tests run them
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

format: env ## let ruff format and fix
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock: ## pin the dependencies anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra dev --no-header \
	  pyproject.toml -o requirements.lock

clean: ## remove the environment and everything generated; prices in data/lake stay
	rm -rf $(VENV) _site data/runs data/site reports/tickers reports/_generated
