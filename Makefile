# `make help` lists the targets. Each sets up first what it needs.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench screenshots clean
SHELL := /bin/bash
BIN := .venv/bin

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 13

setup: ## check the prerequisites, install the locked packages and jars
	@scripts/setup.sh

demo: setup ## start everything, ask a question about what is changing, leave it up
	@$(BIN)/freshet demo

test: setup ## run all tests: unit, spark, integration, e2e
	@scripts/test.sh

check: setup ## what CI runs first: format, lint, types, house rules
	@scripts/check.sh

bench: setup ## print every measured figure: freshness, lake, index, api, pages, metrics, scale, retrieval
	@scripts/bench.sh

screenshots: setup ## make pictures of every view of the pages into .screenshots/
	@scripts/chromium.sh fonts-noto-core fonts-noto-cjk
	@$(BIN)/python scripts/screenshots.py

clean: ## end the stack and remove its state, the jars and the environment
	@scripts/clean.sh
