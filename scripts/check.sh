#!/usr/bin/env bash
# What CI runs first: quick, no service and no JVM.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/prometheus.sh
scripts/containers.sh
.venv/bin/ruff format --check .
.venv/bin/ruff check .
.venv/bin/mypy
.venv/bin/pytest -q tests/house
