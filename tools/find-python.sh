#!/bin/sh
# Print the path of a Python that Taxiway runs on (3.12 or newer), or say what is missing.
#
# Looked at, in this order: $PYTHON, the names on PATH, every version pyenv has, uv's finder.
# A name on PATH proves nothing (pyenv's shims exist for versions that are not selected), so each
# candidate is started and asked. It must also be able to make virtual environments: Debian ships
# a python3 that cannot until python3-venv is installed.
set -u

suits() {
  "$1" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1
}

offer() {
  if suits "$1"; then
    # Not sys.executable: inside an active virtual environment that is a Python which may be about to go.
    "$1" -c 'import sys; print(getattr(sys, "_base_executable", sys.executable))'
    exit 0
  fi
}

if [ -n "${PYTHON:-}" ]; then
  offer "$PYTHON"
  echo "find-python: PYTHON=$PYTHON is not a Python 3.12 or newer that can make virtual environments." >&2
  exit 1
fi

for name in python3.14 python3.13 python3.12 python3 python; do
  if command -v "$name" >/dev/null 2>&1; then offer "$name"; fi
done

pyenv_root=${PYENV_ROOT:-$HOME/.pyenv}
if command -v pyenv >/dev/null 2>&1; then pyenv_root=$(pyenv root 2>/dev/null || echo "$pyenv_root"); fi
for version in 3.14 3.13 3.12; do
  for candidate in "$pyenv_root"/versions/"$version"*/bin/python; do
    if [ -x "$candidate" ]; then offer "$candidate"; fi
  done
done

if command -v uv >/dev/null 2>&1; then
  candidate=$(uv python find --no-project '>=3.12' 2>/dev/null || true)
  if [ -n "$candidate" ]; then offer "$candidate"; fi
fi

cat >&2 <<'TXT'
find-python: no Python 3.12 or newer was found on PATH, under pyenv or through uv.
Install one, for example:
  Debian 13, Ubuntu 24.04:  apt-get install python3 python3-venv
  macOS:                    brew install python@3.13
  anywhere with uv:         uv python install 3.13
  anywhere with pyenv:      pyenv install 3.13
or name one:                make PYTHON=/path/to/python3.13 ...
TXT
exit 1
