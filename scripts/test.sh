#!/usr/bin/env bash
# All tests but the long ones, or those that the arguments name. With CI set a skipped test fails the run, unless recordings are what it lacks.
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ $# -gt 0 ]]; then
  exec .venv/bin/pytest "$@"
fi
scripts/chromium.sh
scripts/prometheus.sh
scripts/containers.sh
# Much of a test is waiting for a JVM or a service, so two files run at a time, the long ones first. The whole stack needs
# the machine to itself.
.venv/bin/pytest --durations 30 -n 2 --dist loadfile --no-loadscope-reorder -m "not long" \
  tests/spark tests/integration tests/dags tests/house tests/unit
.venv/bin/pytest --durations 30 -m "not long" tests/pages
exec .venv/bin/pytest --durations 30 tests/e2e -m "not long"
