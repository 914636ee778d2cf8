#!/usr/bin/env bash
# Prometheus and Alertmanager for the tests of the alert rules. As root on Debian or Ubuntu they are installed; elsewhere
# it says how to get them, and what needs them skips or says so.
set -euo pipefail
command -v promtool >/dev/null && command -v amtool >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing with apt-get: prometheus prometheus-alertmanager" >&2
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends prometheus \
    prometheus-alertmanager >/dev/null
else
  echo "no Prometheus and Alertmanager, so the alerts are not tested: 'apt-get install prometheus prometheus-alertmanager', 'dnf install golang-github-prometheus golang-github-prometheus-alertmanager', or 'brew install prometheus alertmanager'" >&2
fi
