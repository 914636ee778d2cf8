# `make help` lists the targets. Each sets up first what it needs.
.DEFAULT_GOAL := help
.PHONY: help setup demo test drills chaos soak fuzz check audit bench screenshots clean
SHELL := /bin/bash
BIN := .venv/bin

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 13

setup: ## check the prerequisites, install the locked packages and jars
	@scripts/setup.sh

demo: setup ## start everything, ask a question about what is changing, leave it up
	@$(BIN)/freshet demo

test: setup ## run all tests but the drills: unit, spark, integration, pages, e2e
	@scripts/test.sh

drills: setup ## run the long tests: a cluster killed in parts, a backup restored, torn files, removals, brokers that refuse, a clock set back
	@scripts/faketime.sh
	@scripts/test.sh tests/spark tests/integration tests/pages tests/e2e -m long

chaos: setup ## break a stack for ten minutes, then balance the books
	@$(BIN)/freshet chaos

fuzz: setup ## a million damaged events through the parsers, 200,000 through the transforms
	@scripts/fuzz.sh

soak: setup ## run a stack with everything on for an hour: memory, file handles, freshness
	@$(BIN)/freshet soak

check: setup ## what CI runs first: format, lint, types, house rules
	@scripts/check.sh

audit: setup ## known weaknesses of the locked packages, where their list can be reached; exits with 3 where not
	@scripts/audit.sh

bench: setup ## print every measured figure: freshness, lake, index, api, pages, context, metrics, scale, retrieval
	@scripts/bench.sh

screenshots: setup ## make pictures of every view of the pages into .screenshots/
	@scripts/chromium.sh fonts-noto-core fonts-noto-cjk
	@$(BIN)/python scripts/screenshots.py

clean: ## end the stack and remove its state, the jars and the environment
	@scripts/clean.sh
