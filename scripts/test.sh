#!/usr/bin/env bash
# All tests, or those that the arguments name. With CI set a skipped test fails the run, unless recordings are what it lacks.
set -euo pipefail
cd "$(dirname "$0")/.."
exec .venv/bin/pytest "$@"
