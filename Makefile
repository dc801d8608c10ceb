# Every verb of this project. CI (.ci/run) calls "check" and nothing else.
.DEFAULT_GOAL := help
.PHONY: help setup demo demo-psql demo-stop test test-long lint fix types check conformance bench faults fuzz image image-test infra-lint lock docs clean

BIN := .venv/bin
# More than the two cores of the smallest machines of CI: many tests wait for a process or for a time.
WORKERS ?= 4
PYTEST := $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal

help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## virtual environment with the locked dependencies; does nothing when it is up to date
	@tools/setup.sh

demo: setup ## the main job end to end on a throw-away world of real parts; KEEP=1 leaves it running
	@$(BIN)/python -m sandbox.demo $(if $(filter-out 0 no,$(KEEP)),--keep)

demo-psql: setup ## psql into a world that 'make demo KEEP=1' has left running; DBUSER=read_only for another
	@$(BIN)/python -m sandbox.demo --psql $(or $(DBUSER),sqladmin)

demo-stop: setup ## end a world that 'make demo KEEP=1' has left running
	@$(BIN)/python -m sandbox.demo --stop

test: setup ## all tests but those that take minutes each
	@$(PYTEST) $(ARGS)

test-long: setup ## the tests that take minutes each: the whole story, real snapshots, every right taken away
	@$(PYTEST) -m long $(ARGS)

lint: setup ## style, imports, scripts and Dockerfile; changes nothing
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/shellcheck tools/*.sh bench/whole_job/*.sh .ci/run
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/python tools/reference.py --check
	@$(BIN)/python -m conformance.page --check

fix: setup ## change everything that lint can change by itself
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: setup ## strict types, tests included
	@$(BIN)/mypy

check: lint types test test-long demo conformance ## everything that has to pass; what CI runs

conformance: setup ## the real Flyway beside Taxiway: scenarios, random histories, hand-overs; needs Java and Maven
	@$(BIN)/python -m conformance $(ARGS)

bench: setup ## measure Taxiway beside psql, other tools and the real Flyway; writes docs/explanation/performance.md
	@$(BIN)/python -m bench $(ARGS)

faults: setup ## break runs at every message and look what is left; writes docs/explanation/reliability.md
	@$(BIN)/python -m faults $(ARGS)

fuzz: setup ## random inputs for all that reads text, 60 s each; ARGS="--target sql --seconds 600"; needs Linux on x86-64
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --no-deps --require-hashes -r requirements/fuzz.txt
	@$(BIN)/python -m fuzz $(ARGS)

image: setup ## build the container image, without Docker; ARGS="--base official" or "--no-cache"; needs root
	@$(BIN)/python -m image build $(ARGS)

image-test: setup ## build the image and run it as Fargate would; ARGS=--may-skip where that is impossible
	@$(BIN)/python -m image test $(ARGS)

infra-lint: setup ## cfn-lint, checkov and cfn-guard on the template of 'taxiway infra', checkov on Terraform; downloads 200 MB once
	@$(BIN)/python tools/infra_lint.py

docs: setup ## write the generated reference pages
	@$(BIN)/python tools/reference.py
	@$(BIN)/python -m conformance.page

lock: setup ## resolve the dependencies anew and pin them with hashes
	@tools/lock.sh

clean: ## remove what these verbs have made
	@awk -v store=$(CURDIR)/build/image/ 'index($$2, store) == 1 { print $$2 }' /proc/mounts 2>/dev/null | sort -r | xargs -r umount
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
