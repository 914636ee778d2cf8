#!/usr/bin/env bash
# libfaketime into .cache/tools, for the test that sets the clock of a whole stack: its sources are compiled here. That of
# Debian 12 (0.9.10) is too old: with it Python cannot sleep. Where it cannot be had it says so, and what needs it skips.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/.cache/tools
version=3.0.1
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"

lock=$(mktemp)
trap 'rm -f "$lock"' EXIT
cat >"$lock" <<LOCK
libfaketime==$version \\
    --hash=sha256:49c2b06250bd5a1206efe5ecfdc575850517081b50b42c6c58718be1a4a09fbd \\
    --hash=sha256:5eed7c17f3d4ba0f6f828de4975f69a622b06b1e792674e6c1b069c0689fab79
LOCK
{
  [ -d "$tools/libfaketime-$version.dist-info" ] ||
    .venv/bin/uv pip install --quiet --target "$tools" --upgrade --no-deps --require-hashes --requirement "$lock"
} && cc -shared -fPIC -o "$tools/libfaketime/waits.so" tests/faketime_waits.c ||
  echo "no libfaketime, so no test sets the clock: it needs a C compiler and make, 'apt-get install gcc make libc6-dev'" >&2
