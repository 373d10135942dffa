# Everything this project does, in one page. `make` alone says what there is.

PYTHON ?= python3
JOBS ?= 2
PORT ?= 3600
DATA ?= data/demo

ENV := .venv
BIN := $(ENV)/bin
NODE := tests/doors/node
FRONT := front
VENDOR := src/user360/pages/static/vendor
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(UPGRADE)

export PYTHON
# Programs that tests start would compile the whole source anew each time.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help demo test lint format bench docs screenshots wheel lock setup clean
.DELETE_ON_ERROR:

help:  ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup $(VENDOR)/.stamp  ## run User 360 with the customers of CDNOW on port 3600 (PORT=, DATA=)
	$(BIN)/user360 demo --data $(DATA) --port $(PORT)

test: lint $(NODE)/node_modules/.stamp $(VENDOR)/.stamp  ## set up, lint, check types, run every test (JOBS=2)
	tools/need chromium=chromium dovecot=dovecot-imapd
	$(BIN)/pytest -n $(JOBS) --dist loadfile

lint: setup  ## check style, formatting and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: setup  ## put the code into its format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: setup  ## measure against the floors and peers, write docs/reference/benchmarks.md
	tools/need pg_ctlcluster=postgresql
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --target .bench/peers \
		--requirement requirements/peers.txt
	$(BIN)/python -m bench all

docs: setup  ## write the generated pages of docs/reference anew
	$(BIN)/python tools/docs.py

screenshots: setup $(VENDOR)/.stamp  ## take a picture of every page into docs/pictures
	tools/need chromium=chromium
	$(BIN)/python tools/screenshots.py

wheel: setup $(VENDOR)/.stamp  ## build the wheel into dist/
	$(BIN)/hatchling build --target wheel

lock: setup  ## write requirements/*.txt anew from pyproject.toml (UPGRADE=--upgrade)
	$(LOCK) pyproject.toml --output-file requirements/lock.txt
	$(LOCK) pyproject.toml --group dev --constraint requirements/lock.txt \
		--output-file requirements/dev.txt
	$(LOCK) --group peers --constraint requirements/lock.txt --output-file requirements/peers.txt

setup: $(ENV)/.stamp  ## make the environment in .venv, every package pinned by its hash

clean:  ## remove what was built or installed here; data directories stay
	rm -rf $(ENV) $(NODE)/node_modules $(FRONT)/node_modules $(VENDOR) build dist
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests bench tools -name __pycache__ -type d -prune -exec rm -rf {} +

$(ENV)/.stamp: $(ENV)/.packages pyproject.toml
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(ENV)/.packages: requirements/dev.txt
	tools/need 'python>=3.11' venv
	$(PYTHON) -m venv --clear $(ENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/dev.txt
	touch $@

%/node_modules/.stamp: %/package-lock.json
	tools/need node=nodejs npm=npm curl=curl
	npm ci --prefix $* --no-audit --no-fund
	touch $@

$(VENDOR)/.stamp: $(FRONT)/node_modules/.stamp $(shell find src/user360/pages -name '*.html' -o -name '*.py') \
		tools/front.py $(ENV)/.stamp
	$(BIN)/python tools/front.py
	touch $@
