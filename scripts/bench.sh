#!/usr/bin/env bash
# Every measured figure, one after another: nothing else should run meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."
recording=${RECORDING:-}
for what in "freshness --rate 40 --seconds 60" "lake --events 200000" "index --documents 2000"; do
  # shellcheck disable=SC2086
  .venv/bin/freshet bench $what ${recording:+--recording "$recording"}
  echo
done
