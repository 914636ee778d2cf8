#!/usr/bin/env bash
# Known weaknesses of the locked Python packages, by pip-audit, which asks PyPI for them. Ends with 1 when one is known,
# and with 3 when some packages could not be asked about: those were not audited.
set -euo pipefail
cd "$(dirname "$0")/.."
unaudited() {
  echo "NOT audited: $1. Run 'make audit' where PyPI itself can be reached." >&2
  exit 3
}
audit=(.venv/bin/uv tool run --quiet pip-audit)
"${audit[@]}" --version >/dev/null 2>&1 || unaudited "pip-audit cannot be had"
said=$(mktemp)
trap 'rm -f "$said"' EXIT
code=0
"${audit[@]}" --requirement requirements.lock --require-hashes --disable-pip --progress-spinner off >"$said" 2>&1 || code=$?
skipped=$(grep -c "could not be audited" "$said" || true)
if grep -q "known vulnerabilit.* in " "$said"; then
  cat "$said"
  exit 1
fi
[ "$code" = 0 ] || unaudited "pip-audit failed: $(tail -n 1 "$said")"
[ "$skipped" = 0 ] || unaudited "$skipped packages are not known where pip-audit asks"
echo "no known weakness in requirements.lock"
