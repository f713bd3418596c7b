# `make demo` and `make test` need Python 3.11+, make and a package registry; nothing else.
PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
BIN := $(VENV)/bin
export PYTHONPATH := $(CURDIR)

.PHONY: demo test test-services matrix test-browser test-javascript history lint types format clean

# One stamp for each kind of installation, so that a second run starts at once.
$(VENV)/demo.stamp: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[demo]"
	touch $@

$(VENV)/dev.stamp: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[dev]"
	touch $@

demo: $(VENV)/demo.stamp ## serve the example site at http://127.0.0.1:$(PORT)/
	$(BIN)/python manage.py migrate --verbosity 0
	$(BIN)/python manage.py load_demo
	@echo "Serving http://127.0.0.1:$(PORT)/ (stop with Ctrl-C)"
	$(BIN)/python -m uvicorn example_project.asgi:application --host 127.0.0.1 --port $(PORT) --log-level warning

test: $(VENV)/dev.stamp lint types ## everything that needs no process outside Python
	$(BIN)/python -m pytest -n auto -m "not services and not browser and not javascript"

matrix: ## on every Python and Django that pyproject.toml names, without extras, and as a wheel; ONLY= names some
	$(PYTHON) .ci/matrix.py $(ONLY)

test-services: $(VENV)/dev.stamp ## with PostgreSQL, Redis and RabbitMQ on their usual ports
	DATABASE_URL=$${DATABASE_URL:-postgres://postgres@127.0.0.1:5432/postgres} $(BIN)/python -m pytest -n auto -m "not browser and not javascript"

test-browser: $(VENV)/dev.stamp ## in headless Chromium
	$(BIN)/python -m pytest -m browser

tests/javascript/node_modules: tests/javascript/package.json
	cd tests/javascript && npm install --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel error
	touch $@

test-javascript: $(VENV)/dev.stamp tests/javascript/node_modules ## the official JavaScript client, in Node.js
	$(BIN)/python -m pytest -m javascript

history: $(VENV)/dev.stamp ## load a project's history through the models and check every timeline; DATA= names its folder
	rm -rf var/history && mkdir -p var/history
	DATABASE_URL=$${DATABASE_URL:-sqlite:///var/history/feeds.sqlite3} ./.ci/history $(BIN)/python $(DATA)

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run --verbosity 1

types: $(VENV)/dev.stamp
	$(BIN)/mypy

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .matrix var build dist *.egg-info
