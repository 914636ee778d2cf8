#!/usr/bin/env bash
# The whole fuzzing. With RECORDING real events are damaged, else simulated ones.
set -euo pipefail
cd "$(dirname "$0")/.."
exec .venv/bin/python -m tests.fuzz ${RECORDING:+--recording "$RECORDING"} "$@"
