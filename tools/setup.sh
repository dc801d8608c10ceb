#!/bin/sh
# Make .venv with the locked dependencies and this project in it. Does nothing when it is up to date.
set -eu
cd "$(dirname "$0")/.."

venv=.venv
stamp=$venv/taxiway-setup
wanted=$(cat requirements/dev.txt pyproject.toml tools/setup.sh | cksum)

for tool in git ssh ssh-keygen; do
  if ! command -v "$tool" >/dev/null 2>&1; then
    echo "setup: '$tool' is not on PATH. Install git and an SSH client (Debian: apt-get install git openssh-client)." >&2
    exit 1
  fi
done

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && "$venv/bin/python" -c '' 2>/dev/null; then
  exit 0
fi

python=$(tools/find-python.sh)
echo "setup: making $venv with $python ..." >&2
rm -rf "$venv"
"$python" -m venv "$venv"
# --no-deps is safe: the lock names every package. --require-hashes: nothing else gets in.
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
printf '%s\n' "$wanted" > "$stamp"
echo "setup: done." >&2
