# Every entry point of the project. CI calls the same targets.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: docs check-docs samples demo test fast-test lowest newest sdk check check-sdk contract contract-deep contract-mutants mutants contract-wheel breaking lint-spec gateways bench clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.demo  ## draw three pictures with the client from the mock, offline
	@$(BIN)/flux-images demo

test: $(VENV)/.dev  ## every test
	$(BIN)/python -m pytest --numprocesses auto

fast-test: $(VENV)/.dev  ## the tests that are worth running on every Python
	$(BIN)/python -m pytest --numprocesses auto -m "not slow"

lowest: $(VENV)/.dev  ## the quick tests of SDK and mock on the lowest versions that pyproject.toml allows
	bash .ci/bounds lowest $(BIN)

newest: $(VENV)/.dev  ## the same on the newest versions that there are
	bash .ci/bounds newest $(BIN)

contract: $(VENV)/.dev  ## hold client, mock and openapi.yaml to each other
	$(BIN)/python -m pytest --numprocesses auto contract_tests

EXAMPLES ?= 1000
contract-deep: $(VENV)/.dev  ## the same and Schemathesis, with EXAMPLES generated requests a test, others each time
	FLUX_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest --numprocesses auto contract_tests tests/mock/test_schemathesis.py

contract-mutants: $(VENV)/.dev  ## how much `make contract` catches: every single-point change of openapi.yaml
	$(BIN)/python -m contract_tests.mutants

contract-wheel: $(VENV)/.dev  ## the contract tests on the built wheel, without the source and without a network
	bash .ci/wheel $(BIN)

mutants: $(VENV)/.dev  ## how much the tests of retries, errors, base64 and picture checks catch: changed code
	$(PIP_INSTALL) mutmut==3.8.1
	$(BIN)/mutmut run
	$(BIN)/mutmut results

BASE ?= HEAD
breaking: $(VENV)/.dev  ## what openapi.yaml breaks since BASE=REV; CHANGELOG.md must say it
	@git show $(BASE):openapi.yaml > $(VENV)/base.yaml
	$(BIN)/python -m codegen.breaking $(VENV)/base.yaml openapi.yaml --changelog CHANGELOG.md

sdk: $(VENV)/.dev  ## regenerate generated/flux_images_api from openapi.yaml
	$(BIN)/python -m codegen

check-sdk: $(VENV)/.dev  ## fail if the committed client is not what openapi.yaml generates
	$(BIN)/python -m codegen --check

docs: $(VENV)/.dev  ## regenerate docs/samples and docs/reference from openapi.yaml (needs Node.js)
	codegen/samples/install
	$(BIN)/python -m codegen.samples
	$(BIN)/python -m codegen.reference

check-docs: $(VENV)/.dev  ## fail if the committed samples or the reference page are not what the contract and the SDK say
	codegen/samples/install
	@if command -v node >/dev/null; then $(BIN)/python -m codegen.samples --check; fi
	$(BIN)/python -m codegen.reference --check

samples: $(VENV)/.dev  ## compile and run the samples of each language that is installed against a local mock
	codegen/samples/install
	$(BIN)/python -m codegen.samples --run

lint-spec: $(VENV)/.dev  ## openapi.yaml against the OpenAPI standard and Redocly's strict rules
	$(BIN)/openapi-spec-validator --errors all openapi.yaml
	codegen/redocly openapi.yaml

check: $(VENV)/.dev check-sdk check-docs lint-spec  ## lint, types, import rule, generated client, contract file
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports --no-cache

gateways: $(VENV)/.dev  ## calls through LiteLLM's and Portkey's gateways, which go into the user's cache
	$(BIN)/python -m tests.between.gateways

bench: $(VENV)/.dev  ## measure the SDK and the mock beside their peers, in one run
	$(BIN)/python -m benchmarks

clean:  ## remove the environment and every cache
	rm -rf $(VENV) .venv-lowest .venv-newest .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "flux-images needs Python 3.11 or newer; try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(BIN)/python pyproject.toml constraints.txt
	$(PIP_INSTALL) --editable ".[cli,mock]"
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt
	$(PIP_INSTALL) --editable ".[cli,fast,mock,dev]"
	@touch $@ $(VENV)/.demo
