#!/usr/bin/env bash
# The server keeps to its own OpenAPI document.
exec "$(dirname "$0")/../schemathesis.sh"
