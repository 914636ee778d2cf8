#!/usr/bin/env bash
# Makes a checkout ready to run: checks what must be there, then installs Python packages and jars as locked.
# As root on Debian or Ubuntu it installs what is missing by itself.
set -euo pipefail
cd "$(dirname "$0")/.."

uv_version=0.13.9
missing=()

# the system's certificates, as pip uses them: a proxy's own certificate is known there
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"

say() { printf '%s\n' "$*" >&2; }

can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

apt_install() {
  say "installing with apt-get: $*"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

java_version() { java -version 2>&1 | sed -nE 's/.*version "(1\.)?([0-9]+).*/\2/p' | head -n 1; }

has_java() { command -v java >/dev/null && [ "$(java_version)" -ge 17 ] 2>/dev/null; }

find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

has_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

case "$(uname -s)" in
  Linux | Darwin) ;;
  *) missing+=("Linux or macOS: this is $(uname -s)") ;;
esac

python=$(find_python || true)
if [ -z "$python" ] && can_apt; then
  apt_install python3 python3-venv || true
  python=$(find_python || true)
fi
if [ -z "$python" ]; then
  missing+=("Python 3.11, 3.12 or 3.13: 'apt-get install python3 python3-venv', 'brew install python@3.13', or python.org")
elif ! has_venv "$python"; then
  can_apt && { apt_install python3-venv || true; }
  has_venv "$python" || missing+=("Python's venv module: 'apt-get install python3-venv'")
fi

if ! has_java && can_apt; then
  # the newest Java runtime that the release has
  apt_install openjdk-21-jre-headless || apt_install openjdk-17-jre-headless || true
fi
has_java || missing+=("Java 17 or newer: 'apt-get install openjdk-17-jre-headless', 'dnf install java-21-openjdk-headless', or 'brew install openjdk'")

if [ "${#missing[@]}" -gt 0 ]; then
  say "Missing; install it and run 'make setup' again:"
  printf '  - %s\n' "${missing[@]}" >&2
  exit 1
fi

venv=.venv
if [ ! -x "$venv/bin/uv" ] || [ "$("$venv/bin/uv" --version | cut -d' ' -f2)" != "$uv_version" ]; then
  say "making $venv with $("$python" --version)"
  rm -rf "$venv"
  "$python" -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "uv==$uv_version"
fi

stamp="$venv/.locked"
if ! cmp -s requirements.lock "$stamp"; then
  say "installing the locked Python packages"
  "$venv/bin/uv" pip sync --quiet --python "$venv/bin/python" requirements.lock
  "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --no-build-isolation --no-deps --editable .
  cp requirements.lock "$stamp"
fi

say "checking the jars of Kafka and Spark (fetched the first time)"
"$venv/bin/python" -m local.jars >&2
say "ready: $venv/bin/freshet --help"
