#!/bin/sh
# Install what building and running the image without a container engine's daemon takes. Does nothing when it is there.
#
#   buildah      builds the Dockerfile
#   podman, runc run the image
#   mmdebstrap   makes the stand-in for the base image where that cannot be fetched
#
# Needs a Debian or Ubuntu, and root for installing: they are packages of the system.
set -eu

missing=''
for tool in buildah podman runc mmdebstrap; do
  command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
if [ -z "$missing" ]; then exit 0; fi

if ! command -v apt-get >/dev/null 2>&1; then
  echo "image-parts: missing:$missing. Install them; this script knows only apt-get." >&2
  exit 1
fi
if [ "$(id -u)" != 0 ]; then
  echo "image-parts: missing:$missing. Run this as root: sudo tools/image-parts.sh" >&2
  exit 1
fi
echo "image-parts: installing$missing: about a minute, a download of some 60 MB ..." >&2
export DEBIAN_FRONTEND=noninteractive
# Another job of the machine may hold apt's lock.
apt-get update -qq -o DPkg::Lock::Timeout=600
# shellcheck disable=SC2086 # one word for each package
apt-get install -qq -y --no-install-recommends -o DPkg::Lock::Timeout=600 $missing >/dev/null
