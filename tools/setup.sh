#!/bin/sh
# Make .venv with the locked dependencies and this project in it. Does nothing when it is up to date.
set -eu
cd "$(dirname "$0")/.."

venv=.venv
packages_stamp=$venv/taxiway-packages
project_stamp=$venv/taxiway-project
wanted_packages=$(cat requirements/dev.txt tools/setup.sh | cksum)
wanted_project=$(cksum < pyproject.toml)

for tool in git ssh ssh-keygen; do
  if ! command -v "$tool" >/dev/null 2>&1; then
    echo "setup: '$tool' is not on PATH. Install git and an SSH client (Debian: apt-get install git openssh-client)." >&2
    exit 1
  fi
done

is_stamped() {
  [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]
}

pip() {
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps "$@"
}

if ! { is_stamped "$packages_stamp" "$wanted_packages" && "$venv/bin/python" -c '' 2>/dev/null; }; then
  python=$(tools/find-python.sh)
  echo "setup: making $venv with $python: about a minute, a download of some 130 MB ..." >&2
  rm -rf "$venv"
  "$python" -m venv "$venv"
  # --no-deps is safe: the lock names every package. --require-hashes: nothing else gets in.
  pip --require-hashes -r requirements/dev.txt || {
    echo "setup: the packages could not be installed. Is the package index reachable from here?" >&2
    exit 1
  }
  printf '%s\n' "$wanted_packages" > "$packages_stamp"
fi

if ! is_stamped "$project_stamp" "$wanted_project"; then
  pip --no-build-isolation --editable .
  printf '%s\n' "$wanted_project" > "$project_stamp"
  echo "setup: done." >&2
fi
