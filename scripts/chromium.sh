#!/usr/bin/env bash
# Chromium for the tests of the pages, for pictures and for `freshet bench pages`. As root on Debian or Ubuntu it is
# installed; elsewhere it says how to get it, and what needs it skips or says so.
set -euo pipefail
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing with apt-get: chromium" >&2
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
else
  echo "no Chromium, so the pages are not tested: 'apt-get install chromium', 'dnf install chromium', or 'brew install chromium'" >&2
fi
