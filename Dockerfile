# Copydesk in a container. Build and try it:
#   docker build -t copydesk .
#   docker run -p 8000:8000 -v copydesk:/data -e COPYDESK_MIGRATE_ON_START=true copydesk
# The volume holds the SQLite database and the pictures. Without COPYDESK_MIGRATE_ON_START the service refuses a
# database of another version until `copydesk migrate` has run. For production set COPYDESK_ENVIRONMENT=production,
# COPYDESK_SECRET_KEY and COPYDESK_PUBLIC_URL; for several containers, COPYDESK_DATABASE_URL to a PostgreSQL.

# By its digest, so that the same Dockerfile makes the same image. A newer one:
#   docker buildx imagetools inspect python:3.13-slim --format '{{.Manifest.Digest}}'
ARG PYTHON_IMAGE=python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b

FROM ${PYTHON_IMAGE} AS build
ENV UV_SYSTEM_CERTS=1 UV_NO_CACHE=1
WORKDIR /build
COPY requirements.lock ./
COPY tests/requirements.lock tests/
# uv at the version, and with the hashes, that the development lock has for it.
RUN awk '/^uv==/ { on = 1 } on { print } on && !/\\$/ { exit }' tests/requirements.lock > uv.lock \
    && python -m pip install --no-cache-dir --no-deps --require-hashes -r uv.lock \
    && python -m venv --without-pip /opt/copydesk \
    && uv pip sync --python /opt/copydesk/bin/python --require-hashes --compile-bytecode requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY alembic alembic
COPY service service
RUN uv pip install --python /opt/copydesk/bin/python --compile-bytecode --no-deps . \
        --build-constraints tests/requirements.lock --require-build-hashes

FROM ${PYTHON_IMAGE}
RUN useradd --uid 10001 --user-group --no-log-init --no-create-home --home-dir /data copydesk \
    && install --directory --owner copydesk --group copydesk /data
COPY --from=build /opt/copydesk /opt/copydesk
ENV PATH=/opt/copydesk/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=2 \
    MALLOC_MMAP_THRESHOLD_=262144 \
    COPYDESK_DATABASE_URL=sqlite:////data/copydesk.db \
    COPYDESK_MEDIA_URL=file:/data/media
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8000, timeout=4); c.request('GET', '/health/ready'); raise SystemExit(c.getresponse().status != 200)"]
CMD ["copydesk", "serve", "--host", "0.0.0.0"]
