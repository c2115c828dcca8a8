# Every target works on a fresh clone: the first one makes the virtual environment.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/ready

.PHONY: demo test check snapshots schemas picture bench clean

# A real service: made, tested, edited, updated; the edit is still there.
demo: $(VENV)/installed
	scripts/demo $(abspath $(BIN)/idp)

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

check: $(READY)
	$(BIN)/ruff format --check src tests bench scripts
	$(BIN)/ruff check src tests bench scripts
	$(BIN)/mypy
	$(BIN)/python scripts/schemas.py --check
	$(BIN)/idp template verify templates

snapshots: $(READY)
	$(BIN)/python -m pytest --snapshot-update $(ARGS)

schemas: $(READY)
	$(BIN)/python scripts/schemas.py

picture: $(READY)
	$(BIN)/python scripts/picture.py docs/session.svg

bench: $(READY)
	$(BIN)/python bench/scaffold.py
	$(BIN)/python bench/catalog.py

clean:
	rm -rf $(VENV) .demo

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/installed: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(READY): $(VENV)/installed pyproject.toml
	$(BIN)/python -m pip install --quiet --group dev --group template-tools
	touch $@
