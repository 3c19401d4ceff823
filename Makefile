# make demo       trained decoders beside today's, on real memory experiments
# make test       lint, types and the whole test suite; with -j2 types beside the suite
# make test-fast  the tests that do not take seconds each
# make page       the page in the browser, built anew; wants npm
# make docs       the documentation as a site, in build/site/html; a warning or a lost link is an error
# make docs-links its links to other sites, which want a network
# Each sets up .venv on the first call, and builds the kernels in C++ where there is a compiler. PIP_ARGS is handed to pip, for an index with CPU builds of PyTorch, say.

USABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
            if $$p -c '$(USABLE)' 2>/dev/null; then echo $$p; break; fi; done)
PIP_ARGS ?=
VENV := .venv
STAMP := $(VENV)/.installed
NATIVE := $(VENV)/.native
DOCS := $(VENV)/.docs

# the tests start many processes, each of which would compile the whole package again
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint types suite test-fast install page docs docs-links clean

demo: install
	$(VENV)/bin/cascade demo

test: lint types suite

lint: install
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check

types: install
	$(VENV)/bin/pyright

suite: install
	$(VENV)/bin/pytest -n 2 -rs

test-fast: install
	$(VENV)/bin/pytest -n 2 -m "not slow"

install: $(STAMP) $(NATIVE)

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "error: cascade-qec needs Python 3.11, 3.12 or 3.13 with the venv module;" \
	  "none of python3.11, python3.12, python3.13, python3 is one. Name yours: make PYTHON=/path/to/python3.12" >&2; exit 2; }
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --disable-pip-version-check $(PIP_ARGS) -c constraints.txt -e '.[dev]'
	touch $@

$(NATIVE): $(STAMP) native/pyproject.toml native/CMakeLists.txt $(wildcard native/src/* native/src/cascade_qec_native/*.py)
	@if ! command -v c++ >/dev/null; then \
	  echo "no C++ compiler (c++): models decode on CPUs by PyTorch or NumPy, several times as slowly as by the native kernels"; \
	elif ! $(VENV)/bin/python -m pip install --disable-pip-version-check -q $(PIP_ARGS) ./native; then \
	  echo "the native kernels could not be built: models decode on CPUs by PyTorch or NumPy, several times as slowly"; \
	fi
	touch $@

$(DOCS): $(STAMP)
	$(VENV)/bin/python -m pip install --disable-pip-version-check $(PIP_ARGS) -c constraints.txt -e '.[docs]'
	touch $@

docs: install $(DOCS)
	$(VENV)/bin/python -m workshop site

docs-links: install $(DOCS)
	$(VENV)/bin/python -m workshop site --external

page:
	cd web && npm ci --no-audit --no-fund && npm run build

clean:
	rm -rf $(VENV)
