# orderhub as an image: `docker build -t orderhub .`, or `docker compose build`.
# The base is named by its exact tag. A digest would be surer still; none is named, because none could be looked up and
# tried where this was written: add @sha256:… once you have pulled it.
FROM python:3.11.14-slim-bookworm AS built
WORKDIR /srv/orderhub
COPY requirements-run.txt pyproject.toml README.md ./
RUN python -m venv venv \
 && venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements-run.txt
COPY hub hub
COPY mappings mappings
COPY connectors connectors
COPY erp_adapters erp_adapters
COPY config config
RUN venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --editable . \
 && venv/bin/python -m compileall -q hub mappings connectors erp_adapters

FROM python:3.11.14-slim-bookworm
RUN groupadd --system --gid 10001 orderhub \
 && useradd --system --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin orderhub \
 && install -d -o 10001 -g 10001 /var/lib/orderhub
COPY --from=built /srv/orderhub /srv/orderhub
WORKDIR /srv/orderhub
ENV PATH=/srv/orderhub/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ORDERHUB_HOME=/var/lib/orderhub
USER 10001:10001
VOLUME /var/lib/orderhub
CMD ["orderhub", "--help"]
