# Everything a clone can do. It needs Python 3.11 or newer, make, and a network for the first run.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV ?= $(BIN)/uv
UPGRADE ?=
# Many tests wait for a kernel, a page or a socket: three at a time keep two processors busy.
WORKERS ?= 3
BUILD := build

LAB := $(VENV)/.installed-lab
TEST := $(VENV)/.installed-test

PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate $(UPGRADE)

# What cometnb reads from the environment must not reach a test: no key, no ledger, no prices of the user's.
QUIET_HOME = env -u COMETAPI_KEY -u COMETAPI_API_KEY -u COMETAPI_BASE_URL -u COMETAPI_DEFAULT_MODEL \
	-u COMETNB_LIVE -u COMETNB_PRICES -u COMETNB_PRICE_RATIO -u COMETNB_STORE_TEXT \
	XDG_CACHE_HOME=$(CURDIR)/$(BUILD)/nbval/cache XDG_CONFIG_HOME=$(CURDIR)/$(BUILD)/nbval/config \
	TZ=UTC COMETNB_BACKEND=simulator COMETNB_LEDGER=$(CURDIR)/$(BUILD)/nbval/ledger.sqlite \
	IPYTHONDIR=$(CURDIR)/$(BUILD)/nbval/ipython

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo lab test lint types units notebooks guide docs pictures bench fuzz independent format lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(LAB) ## run the quickstart on the simulator: streamed here, then as a notebook and a page
	@$(BIN)/python notebooks/demo.py

lab: $(LAB) ## open JupyterLab on the notebooks
	@$(BIN)/python -m jupyterlab --ServerApp.root_dir="$(CURDIR)" --LabApp.default_url=/lab/tree/notebooks/quickstart.ipynb

test: lint types units notebooks ## check everything: style, types, layers, tests, notebooks
	@echo "All checks passed."

lint: $(TEST) ## style, format and layers
	@echo "== ruff"
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet || { echo "make format puts it right"; exit 1; }
	@echo "== import-linter"
	@PYTHONPATH=. $(BIN)/lint-imports --no-cache > $(BUILD)/layers.txt || { cat $(BUILD)/layers.txt; exit 1; }

types: $(TEST) ## mypy, strict
	@echo "== mypy"
	@$(BIN)/mypy

units: $(TEST) ## the tests, with a real kernel and a real browser
	@echo "== pytest"
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

notebooks: $(TEST) ## run the notebooks and compare their outputs with those in the files
	@echo "== notebooks"
	@rm -rf $(BUILD)/nbval && mkdir -p $(BUILD)/nbval
	@$(QUIET_HOME) $(BIN)/python -m pytest -W default --nbval --nbval-current-env \
		$(if $(wildcard notebooks/nbval.cfg),--nbval-sanitize-with notebooks/nbval.cfg) notebooks

guide: $(TEST) ## run the notebooks and keep their outputs; NAMES="quickstart cost" those alone
	@$(QUIET_HOME) $(BIN)/python -m tests.notebooks.rerun $(NAMES)

docs: $(TEST) ## build the documentation, with the notebooks as pages
	@$(BIN)/python docs/build.py

pictures: $(TEST) ## take the README's pictures of a streamed answer anew
	@$(BIN)/python -m tests.browser.pictures

# `make bench` also installs what others offer, each in an environment of its own under build/rivals.
bench: $(TEST) ## measure beside what one would use instead; QUICK=1 in small, ROWS=1,7 those alone
	@$(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(if $(ROWS),--rows $(ROWS))

# `pip install atheris` into .venv, and ENGINE=atheris follows coverage.
fuzz: $(TEST) ## try inputs nobody would write; SECONDS=60 each, NAMES="fold sse" those alone, SEED=0, ENGINE=random
	@$(BIN)/python -m tests.fuzz $(NAMES) --seconds $(or $(SECONDS),60) --seed $(or $(SEED),0) \
		--engine $(or $(ENGINE),random)

independent: $(TEST) ## try cometnb on servers that others wrote; the first time installs them: several gigabytes
	@$(BIN)/python -m tests.independent

format: $(TEST) ## put style and format right
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

# `make lock` keeps the versions that still fit; `make lock UPGRADE=--upgrade` takes the newest.
lock: $(VENV)/pyvenv.cfg ## write the pinned versions anew
	@test -x $(UV) || $(PIP) install uv
	@$(COMPILE) pyproject.toml --extra lab --extra pillow --group build -o locks/lab.txt
	@$(COMPILE) pyproject.toml --all-extras --group dev -c locks/lab.txt -o locks/test.txt

clean: ## remove what make made, the environment too
	@rm -rf $(VENV) $(BUILD) dist .hypothesis .mypy_cache .ruff_cache tests/browser/shots
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/pyvenv.cfg:
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) on this machine."; \
		echo "Install Python 3.11 or newer, or say which: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is $$($(PYTHON) --version 2>&1), and cometnb needs Python 3.11 or newer."; \
		echo "Say which one to use: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# A second run finds the stamp and starts at once; a changed lock or pyproject.toml installs again.
define install
	@echo "Installing the versions of locks/$(1).txt into $(VENV); the first time takes a few minutes."
	@$(PIP) install --requirement locks/$(1).txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@mkdir -p $(BUILD)
	@touch $@
endef

$(LAB): $(VENV)/pyvenv.cfg locks/lab.txt pyproject.toml
	$(call install,lab)

# locks/test.txt holds all of locks/lab.txt in the same versions, so both are then there.
$(TEST): $(VENV)/pyvenv.cfg locks/test.txt pyproject.toml
	$(call install,test)
	@touch $(LAB)
