# Everything goes through two commands: `make up` and `make test`. On a bare machine (Python 3.11, root or sudo) each
# first gets what it needs; later runs find it there.

SHELL := /bin/sh
PYTHON ?= python3
export PYTHON
PY := .venv/bin/python
PYTEST := .venv/bin/pytest
LOCAL := $(PY) -m blazz_local
SYNCED := .venv/.synced
PACKAGES := blazz_contracts blazz_chassis blazz_gateway blazz_chat blazz_campaign blazz_notifier blazz_webjs_bridge \
	blazz_simulator blazz_local
CODE := libs services tools deploy tests

.DEFAULT_GOAL := help
.PHONY: help up down status logs watch env workspace servers test test-unit test-integration test-e2e test-reliability test-security \
	lint format bench chaos schemas clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(SYNCED): uv.lock pyproject.toml $(wildcard libs/*/pyproject.toml services/*/pyproject.toml tools/*/pyproject.toml deploy/*/pyproject.toml) scripts/bootstrap.sh
	@sh scripts/bootstrap.sh

up: $(SYNCED) ## start everything in the foreground; DETACH=1 returns when it is ready
	@exec $(LOCAL) up $(if $(DETACH),--detach)

down: $(SYNCED) ## stop it, and clear away what a crash left
	@exec $(LOCAL) down

status: $(SYNCED) ## a table of what runs
	@exec $(LOCAL) status

logs: $(SYNCED) ## follow the logs; P="chat gateway" for some only
	@exec $(LOCAL) logs $(P)

watch: $(SYNCED) ## print what the demo workspace's websocket says
	@exec $(LOCAL) watch

env: $(SYNCED) ## shell variables for the examples of README and docs/api.md
	@exec $(LOCAL) env

workspace: $(SYNCED) ## one more workspace: NAME="Shop" EMAIL=owner@shop.test; asks for a password
	@exec $(LOCAL) workspace --name "$(NAME)" --email "$(EMAIL)"

servers: $(SYNCED) ## RabbitMQ and PostgreSQL alone, for running tests again and again
	@exec $(LOCAL) servers

test: $(SYNCED) ## all tests: reliability, end to end, integration, security, unit; two at a time
	@exec $(PYTEST) tests/reliability tests/e2e tests/integration tests/security tests/unit \
		-n $(or $(JOBS),2) --no-loadscope-reorder $(ARGS)

test-unit: $(SYNCED) ## tests without servers
	@exec $(PYTEST) tests/unit $(ARGS)

test-integration: $(SYNCED) ## tests against a real RabbitMQ and PostgreSQL
	@exec $(PYTEST) tests/integration $(ARGS)

test-e2e: $(SYNCED) ## the newcomer's walk against a whole stack
	@exec $(PYTEST) tests/e2e $(ARGS)

test-reliability: $(SYNCED) ## processes and servers killed under load
	@exec $(PYTEST) tests/reliability $(ARGS)

test-security: $(SYNCED) ## what must be refused
	@exec $(PYTEST) tests/security $(ARGS)

lint: $(SYNCED) ## ruff, mypy, import contracts
	@.venv/bin/ruff check $(CODE)
	@.venv/bin/ruff format --check $(CODE)
	@.venv/bin/mypy $(addprefix -p ,$(PACKAGES))
	@.venv/bin/lint-imports

format: $(SYNCED) ## let ruff format and fix what it can
	@.venv/bin/ruff check --fix $(CODE)
	@.venv/bin/ruff format $(CODE)

bench: $(SYNCED) ## measure: latency, throughput, cost per recipient
	@exec $(PYTEST) tests/bench -s $(ARGS)

chaos: $(SYNCED) ## a long seeded run of kills and restarts; SEED=n repeats one, LASTS=seconds
	@exec env BLAZZ_CHAOS_SECONDS=$(or $(LASTS),300) $(if $(SEED),BLAZZ_CHAOS_SEED=$(SEED)) \
		$(PYTEST) tests/reliability -k chaos --timeout 0 -s $(ARGS)

schemas: $(SYNCED) ## write again what is generated: JSON Schemas, AsyncAPI, broker definitions
	@$(PY) -m blazz_contracts.publish_schemas
	@$(PY) scripts/write_asyncapi.py
	@exec $(LOCAL) definitions

clean: ## stop the stack and remove .blazz, .venv and caches
	@if [ -x $(PY) ]; then $(LOCAL) clean; fi
	@rm -rf .blazz .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
