# The image of the migration task: Python, Taxiway, git and ssh. docs/how-to/build-the-image.md
#
# It runs as a user without rights, with a read-only root file system. The only place it writes to is /tmp.
# The last stage begins with nothing: what is not copied into it is not in the image.

# The one place that names the base image: the tag for people, the digest for builders.
ARG PYTHON_IMAGE=docker.io/library/python:3.13.16-slim-trixie@sha256:bf44cdfcb76cd3b41e879bc058fc37ec5872002ccfde7fcb765e218cde0cd79c


FROM ${PYTHON_IMAGE} AS build

# Where packages come from, if not from where pip looks by itself. Neither reaches the last stage.
ARG PIP_CERT=""
ARG PIP_INDEX_URL=""
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore

WORKDIR /source
COPY requirements/runtime.txt requirements/build.txt requirements/sbom.txt requirements/

# The base image's pip fills all environments, so that none has a pip of its own.
# Only wheels, and only those in the lock: no code of a package runs while it is installed.
RUN python -m venv --without-pip /opt/taxiway \
    && python -m pip --python /opt/taxiway/bin/python install --no-cache-dir --no-compile --no-deps --require-hashes \
        --only-binary :all: --requirement requirements/runtime.txt

RUN for name in build sbom; do \
        python -m venv --without-pip "/opt/$name" \
        && python -m pip --python "/opt/$name/bin/python" install --no-cache-dir --no-compile --no-deps \
            --require-hashes --only-binary :all: --requirement "requirements/$name.txt" || exit 1; \
    done

COPY pyproject.toml README.md LICENSE ./
COPY src src

# Files that are made get this time: the same source gives the same bytes (reproducible-builds.org).
ARG SOURCE_DATE_EPOCH=0
# The bytecode is never checked against its source: nothing in the image changes, and a builder that rewrites
# the times of the files would make Python compile everything again at every start.
RUN python -m pip --python /opt/build/bin/python wheel --no-cache-dir --no-deps --no-build-isolation \
        --wheel-dir /wheels . \
    && python -m pip --python /opt/taxiway/bin/python install --no-cache-dir --no-compile --no-deps --no-index \
        /wheels/taxiway-*.whl \
    && find /opt/taxiway/bin -type f ! -name taxiway -delete \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/taxiway/lib


FROM ${PYTHON_IMAGE} AS root

# Not pinned, because Debian removes a version when its security fix appears; the base image names the release.
# hadolint ignore=DL3008
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends git openssh-client tini \
    && rm -rf /var/lib/apt/lists/*

COPY --from=build /opt/taxiway /opt/taxiway
COPY image/root.py /source/

# The base image has its standard library without bytecode, and a read-only one can never be compiled later.
RUN python /source/root.py /root-of-task \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash -s /root-of-task -p / \
        /root-of-task/usr/local/lib

COPY --from=build /opt/sbom /opt/sbom
COPY image/sbom.py pyproject.toml /source/
ARG SOURCE_DATE_EPOCH=0
ARG REVISION=unknown
RUN python /source/sbom.py /root-of-task /opt/sbom/bin "taxiway@${REVISION}" \
        /root-of-task/usr/share/taxiway/sbom.cdx.json


FROM scratch

ARG PYTHON_IMAGE
ARG REVISION=unknown
ARG SOURCE=unknown
ARG VERSION=unknown
LABEL org.opencontainers.image.title="Taxiway" \
      org.opencontainers.image.description="Runs the SQL migrations of one Git commit on PostgreSQL" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${PYTHON_IMAGE}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.version="${VERSION}" \
      dev.taxiway.sbom="/usr/share/taxiway/sbom.cdx.json"

COPY --from=root /root-of-task /

ENV HOME=/home/taxiway \
    LANG=C.UTF-8 \
    PATH=/opt/taxiway/bin:/usr/local/bin:/usr/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TMPDIR=/tmp

USER 10001:10001
WORKDIR /home/taxiway
STOPSIGNAL SIGTERM

# With a read-only root file system, Fargate gives a volume that is mounted here the owner and the mode of this
# directory only if the image declares it; otherwise root's, and nothing could be written.
VOLUME /tmp

# Linux drops a signal to process 1 that has no handler yet. Without tini, a task that is stopped while Python is
# still loading would migrate nevertheless. tini also reaps what git and ssh leave behind.
# There is no shell in between. An argument is the branch, whatever it is called, or an option of "taxiway run".
# Other commands: "entryPoint" of the task definition, --entrypoint of the engine.
ENTRYPOINT ["tini", "--", "taxiway", "run"]
