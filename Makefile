# `make demo` and `make test` need Python 3.11+, make and a package registry; nothing else.
PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
BIN := $(VENV)/bin
export PYTHONPATH := $(CURDIR)

.PHONY: demo test test-services test-scale test-mariadb test-packages matrix test-browser test-javascript test-schema mutants careless history lint types bench bench-quick format clean

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
	$(BIN)/python -m pytest -n auto -m "not services and not browser and not javascript and not schema and not scale"

matrix: ## on every Python and Django that pyproject.toml names, without extras, and as a wheel; ONLY= names some
	$(PYTHON) .ci/matrix.py $(ONLY)

test-services: $(VENV)/dev.stamp ## with PostgreSQL, Redis and RabbitMQ on their usual ports
	DATABASE_URL=$${DATABASE_URL:-postgres://postgres@127.0.0.1:5432/postgres} $(BIN)/python -m pytest -n auto --ignore=tests/unit -m "not browser and not javascript and not schema and not scale"

SCALED := tests/contract/test_activities.py tests/contract/test_feeds.py tests/contract/test_follows.py tests/contract/test_grouped_feeds.py
BOUNCED := tests/db/publishing tests/db/operations $(SCALED)
UPLOADING := tests/db/server/files tests/db/operations/test_person.py
test-scale: export DATABASE_URL ?= postgres://postgres@127.0.0.1:5432/postgres
test-scale: export STREAM_FAULT_OPERATIONS ?= 3000
$(VENV)/scale.stamp: $(VENV)/dev.stamp
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[scale]"
	touch $@

test-scale: $(VENV)/scale.stamp ## a Redis Cluster, a replica, PgBouncer, NATS, Galera, S3: what happens when they fail, and the suites on them; ONLY=short runs Galera alone, in two minutes
ifeq ($(ONLY),short)
	env -u DATABASE_URL $(BIN)/python -m pytest -n 0 -p tests.scale.on_galera tests/scale/test_galera.py
else
	$(BIN)/python -m pytest -n 0 -m scale tests/scale
	env -u DATABASE_URL $(BIN)/python -m pytest -n 0 -p tests.scale.on_cluster $(SCALED) -k "process"
	$(BIN)/python -m pytest -n 0 -p tests.scale.on_bouncer $(BOUNCED) -k "not deadlock and not http"
	env -u DATABASE_URL $(BIN)/python -m pytest -n 0 -p tests.scale.on_galera tests/scale/test_galera.py $(SCALED) -k "not socket"
	$(BIN)/python -m pytest -n 0 -p tests.scale.on_s3 $(UPLOADING) -k "not serve_its_files_itself and not cannot_delete"
endif

MARIADB := tests/db/database/test_mariadb.py tests/db/locks tests/contract/test_activities.py tests/contract/test_feeds.py tests/contract/test_follows.py tests/contract/test_grouped_feeds.py tests/contract/objects tests/contract/streams
MARIADB_ALL := tests/db/server/test_feeds_equal_model.py tests/db/server/test_flat_feeds.py tests/db/server/test_removal_property.py tests/db/server/test_paging_property.py tests/db/server/test_convergence.py tests/db/server/isolation tests/db/server/test_content.py tests/db/publishing tests/db/feeds/test_hostile_references.py tests/db/operations/test_person.py
MARIADB_HOST ?= 127.0.0.1
test-mariadb: export DATABASE_URL = mysql://root@$(MARIADB_HOST):3306/feeds
test-mariadb: $(VENV)/dev.stamp ## the server on MariaDB on its usual port; ONLY=short takes a few minutes
	$(BIN)/python -m pytest -n auto $(MARIADB) -k "not socket"
	test "$(ONLY)" = short || $(BIN)/python -m pytest -n auto $(MARIADB_ALL) -m "not services" -k "not pulled"

test-packages: ## models that other packages change, with those packages; ONLY= names the Python and Django
	$(PYTHON) .ci/matrix.py $(or $(ONLY),3.13-6.1-packages)

test-browser: $(VENV)/dev.stamp ## in headless Chromium
	$(BIN)/python -m pytest -m browser

tests/javascript/node_modules: tests/javascript/package.json
	cd tests/javascript && npm install --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel error
	touch $@

test-javascript: $(VENV)/dev.stamp tests/javascript/node_modules ## the official JavaScript client, in Node.js
	$(BIN)/python -m pytest -m javascript

$(VENV)/schema.stamp: $(VENV)/dev.stamp
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[schemathesis]"
	touch $@

test-schema: $(VENV)/schema.stamp ## requests made from the server's own description, with both kinds of token
	$(BIN)/python -m pytest -n 0 -m schema tests/schema

mutants: $(VENV)/dev.stamp ## change the code carelessly, and see whether a test notices; ROOMS= and SAMPLE= say how much of it
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[mutants]"
	env -u DATABASE_URL nice $(BIN)/python .ci/mutants.py --rooms $(ROOMS) --sample $(or $(SAMPLE),250) --seed $(or $(SEED),1)

careless: $(VENV)/dev.stamp ## the same for filters by application, locks, templates and a list of changes; KINDS= names some
	DATABASE_URL=$${DATABASE_URL:-postgres://postgres@127.0.0.1:5432/postgres} nice $(BIN)/python .ci/careless.py --kinds $(KINDS)

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

$(VENV)-peers/stamp: ## packages that the benchmarks compare with, in an environment of their own
	$(PYTHON) -m venv $(VENV)-peers
	$(VENV)-peers/bin/pip install --quiet --disable-pip-version-check "django-activity-stream>=2" "django<6" "psycopg[binary]>=3.2"
	touch $@

# It needs an older Django than the other.
$(VENV)-stream-django/stamp:
	$(PYTHON) -m venv $(VENV)-stream-django
	$(VENV)-stream-django/bin/pip install --quiet --disable-pip-version-check stream-django setuptools
	touch $@

PEERS = --peers $(VENV)-peers/bin/python --enriching-peer $(VENV)-stream-django/bin/python

bench: $(VENV)/dev.stamp $(VENV)-peers/stamp $(VENV)-stream-django/stamp ## measure with up to a million activities on SQLite and PostgreSQL, and write docs/benchmarks
	$(BIN)/python -m benchmarks.report $(PEERS)

bench-quick: $(VENV)/dev.stamp $(VENV)-peers/stamp $(VENV)-stream-django/stamp ## the same with ten thousand, in five minutes
	$(BIN)/python -m benchmarks.report --quick $(PEERS)

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .matrix var build dist *.egg-info
