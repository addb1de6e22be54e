#!/usr/bin/env bash
# What measuring scripts with arguments share; they source it. A wrong argument ends the script with 2, under its own name.

wrong() { # why
  local name=${0##*/}
  echo "${name%.sh}: $1 (try --help)" >&2
  exit 2
}

# A number without leading zeros, of at most so many digits.
number() { # argument, value, digits, least
  local most
  printf -v most '%*s' "$3" ''
  { [[ $2 =~ ^(0|[1-9][0-9]*)$ ]] && [ "${#2}" -le "$3" ] && [ "$2" -ge "$4" ]; } ||
    wrong "$1 takes a number from $4 to ${most// /9}"
}

new_directory() { # argument, value
  { [ -n "$2" ] && [ ! -e "$2" ]; } || wrong "$1 takes a directory that is not there yet"
}
