# The image of the migration task: Python, Taxiway, git and ssh. docs/how-to/build-the-image.md
#
# It runs as a user without rights, with a read-only root file system. The only place it writes to is /tmp.

# The one place that names the base image. Override it with the same tag and a digest to pin the bytes.
ARG PYTHON_IMAGE=docker.io/library/python:3.13.15-slim-trixie


FROM ${PYTHON_IMAGE} AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore

WORKDIR /source
COPY requirements/runtime.txt requirements/build.txt requirements/

# The base image's pip fills both environments, so that neither has a pip of its own.
# Only wheels, and only those in the lock: no code of a package runs while it is installed.
RUN python -m venv --without-pip /opt/taxiway \
    && pip --python /opt/taxiway/bin/python install --no-cache-dir --no-compile --no-deps --require-hashes \
        --only-binary :all: --requirement requirements/runtime.txt

RUN python -m venv --without-pip /opt/build \
    && pip --python /opt/build/bin/python install --no-cache-dir --no-compile --no-deps --require-hashes \
        --only-binary :all: --requirement requirements/build.txt

COPY pyproject.toml README.md LICENSE ./
COPY src src

# The bytecode is never checked against its source: nothing in the image changes, and a builder that rewrites
# the times of the files would make Python compile everything again at every start.
RUN pip --python /opt/build/bin/python wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
    && pip --python /opt/taxiway/bin/python install --no-cache-dir --no-compile --no-deps --no-index \
        /wheels/taxiway-*.whl \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/taxiway/lib


FROM ${PYTHON_IMAGE}

LABEL org.opencontainers.image.title="Taxiway" \
      org.opencontainers.image.description="Runs the SQL migrations of one Git commit on PostgreSQL" \
      org.opencontainers.image.licenses="Apache-2.0"

# Not pinned, because Debian removes a version when its security fix appears; the base image names the release.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends git openssh-client tini \
    && rm -rf /var/lib/apt/lists/*

# The base image has its standard library without bytecode, and a read-only one can never be compiled later.
RUN python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
        -x '/(ensurepip|idlelib|pydoc_data|site-packages|tkinter|turtledemo)/' /usr/local/lib/python3.*/

# ssh refuses to run for a user without an entry. The home directory belongs to root, so that the task cannot leave
# settings there for ssh, libpq or boto3. Fargate has no "no-new-privileges", so no program stays setuid.
WORKDIR /home/taxiway
RUN groupadd --gid 10001 taxiway \
    && useradd --uid 10001 --gid 10001 --no-log-init --no-create-home --shell /usr/sbin/nologin taxiway \
    && find / -xdev -type f -perm /6000 -exec chmod ug-s {} +

COPY --from=build /opt/taxiway /opt/taxiway

ENV HOME=/home/taxiway \
    PATH=/opt/taxiway/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TMPDIR=/tmp

USER 10001:10001
STOPSIGNAL SIGTERM

# Linux drops a signal to process 1 that has no handler yet. Without tini, a task that is stopped while Python is
# still loading would migrate nevertheless. Our children we reap ourselves.
ENTRYPOINT ["tini", "--", "taxiway", "run"]
