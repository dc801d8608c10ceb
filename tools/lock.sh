#!/bin/sh
# Pin and hash every dependency. The files record no package index: they install from any.
set -eu
cd "$(dirname "$0")/.."

compile() {
  output=$1
  shift
  .venv/bin/uv pip compile --quiet --universal --python-version 3.12 --generate-hashes --no-annotate \
    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" "$@" --output-file "$output"
}

compile requirements/runtime.txt pyproject.toml
compile requirements/build.txt --group build
compile requirements/dev.txt pyproject.toml --group dev
compile requirements/fuzz.txt --group fuzz
compile requirements/infra-lint.txt --group infra-lint
compile requirements/sbom.txt --group sbom
