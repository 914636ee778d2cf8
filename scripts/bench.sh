#!/usr/bin/env bash
# Every measured figure, one after another: nothing else should run meanwhile. With RECORDING real events are used, and
# where judged questions lie beside it, searches are measured with them.
set -euo pipefail
cd "$(dirname "$0")/.."
recording=${RECORDING:-}
for what in "freshness --rate 40 --seconds 60" "lake --events 200000" "index --documents 2000" "api --users 200,500" \
  "pages --loads 5 --seconds 10 --minutes 2"; do
  # shellcheck disable=SC2086
  .venv/bin/freshet bench $what ${recording:+--recording "$recording"}
  echo
done
.venv/bin/freshet bench context --minutes 10
.venv/bin/freshet bench metrics
.venv/bin/freshet bench scale ${recording:+--recording "$recording"}
if [[ -n $recording && -e $(dirname "$recording")/edit-queries.jsonl ]]; then
  .venv/bin/freshet bench retrieval --data "$(dirname "$recording")"
fi
