#!/usr/bin/env bash
# Every alert rule fires where it should, and only there; skipped where there is no promtool.
exec python3 "$(dirname "$0")/alerts.py"
