#!/usr/bin/env bash
# The public Python SDKs and our neurons understand each other.
exec "$(dirname "$0")/../interop/run.sh"
