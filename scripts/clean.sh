#!/usr/bin/env bash
# Ends the stack, then removes what setup and the stack made in this checkout, and what root's Postgres has outside it.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -x .venv/bin/freshet ]; then
  .venv/bin/freshet down --remove
fi
rm -rf .freshet .cache .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis spark-warehouse
find . -name __pycache__ -type d -prune -exec rm -rf {} +
