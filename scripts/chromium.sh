#!/usr/bin/env bash
# Chromium for the tests of the pages, for pictures and for `freshet bench pages`. As root on Debian or Ubuntu it is
# installed, with the further packages that are named; elsewhere it says how to get it, and what needs it skips or says so.
set -euo pipefail
can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }
install() {
  echo "installing with apt-get: $*" >&2
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
if [ $# -gt 0 ] && can_install; then
  install "$@"
fi
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null && exit 0
done
if can_install; then
  install chromium
else
  echo "no Chromium, so the pages are not tested: 'apt-get install chromium', 'dnf install chromium', or 'brew install chromium'" >&2
fi
