# The images of Freshet, a target each: `docker compose build`, or `docker build --target api .`
# Debian 12, Python 3.11 and Java 17 are what the tests run on. What each target installs is said in local/images.py.

FROM python:3.11.15-slim-bookworm AS base
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/opt/freshet \
    PYTHONUNBUFFERED=1 \
    FRESHET_LISTEN_HOST=0.0.0.0 \
    FRESHET_STATE_DIR=/var/lib/freshet/state
# One user everywhere: executors write tables that others read. It has a name, which Spark asks for. A volume that is
# mounted for the first time takes the owner of the folder below it.
RUN groupadd --gid 10001 freshet \
    && useradd --uid 10001 --gid freshet --no-create-home --home-dir /var/lib/freshet --shell /usr/sbin/nologin freshet \
    && install --directory --owner=freshet --group=freshet \
    /var/lib/freshet /var/lib/freshet/lake /var/lib/freshet/state /opt/freshet
WORKDIR /opt/freshet

# What builds, and stays here: installers at the versions and with the hashes of the lock.
FROM base AS builder
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_SYSTEM_CERTS=true \
    VIRTUAL_ENV=/opt/venv
WORKDIR /build
COPY requirements.lock ./
COPY local/__init__.py local/images.py local/
RUN python -m local.images tools > tools.lock \
    && pip install --no-cache-dir --no-deps --require-hashes --requirement tools.lock \
    && uv venv --python /usr/local/bin/python /opt/venv
# The version of Freshet, which is asked for at run time: a package without modules.
WORKDIR /build/metadata
COPY pyproject.toml README.md LICENSE ./
RUN mkdir wheels \
    && python -c "from hatchling.build import build_editable; build_editable('wheels')" \
    && uv pip install --no-deps --offline wheels/*.whl
WORKDIR /build

FROM builder AS producer-packages
RUN python -m local.images producer > image.lock && uv pip install --no-deps --require-hashes --requirement image.lock

FROM builder AS indexer-packages
RUN python -m local.images indexer > image.lock && uv pip install --no-deps --require-hashes --requirement image.lock

FROM builder AS describer-packages
RUN python -m local.images describer > image.lock && uv pip install --no-deps --require-hashes --requirement image.lock

FROM builder AS api-packages
RUN python -m local.images api > image.lock && uv pip install --no-deps --require-hashes --requirement image.lock

FROM builder AS ui-packages
RUN python -m local.images ui > image.lock && uv pip install --no-deps --require-hashes --requirement image.lock

FROM builder AS exporter-packages
RUN python -m local.images exporter > image.lock && uv pip install --no-deps --require-hashes --requirement image.lock

FROM builder AS eventstreams-packages
RUN python -m local.images eventstreams > image.lock && uv pip install --no-deps --require-hashes --requirement image.lock

FROM builder AS spark-packages
RUN python -m local.images spark > image.lock && uv pip install --no-deps --require-hashes --requirement image.lock

FROM builder AS airflow-packages
RUN python -m local.images airflow > image.lock && uv pip install --no-deps --require-hashes --requirement image.lock

FROM builder AS command-packages
RUN python -m local.images command > image.lock && uv pip install --no-deps --require-hashes --requirement image.lock

FROM base AS java
RUN apt-get update \
    && apt-get install --yes --no-install-recommends openjdk-17-jre-headless=17.* \
    && rm -rf /var/lib/apt/lists/*

# Every jar has the sha256 of local/jars.lock.json, or the build ends here.
FROM java AS jars
COPY --from=spark-packages /opt/venv /opt/venv
COPY freshet freshet
COPY local/__init__.py local/jars.py local/jars.lock.json local/
ENV FRESHET_JARS_DIR=/opt/jars
# with s3 as well for a lake on object storage: 690 MB
ARG JAR_SETS="spark lineage"
# hadolint ignore=SC2086
RUN python -m local.jars $JAR_SETS

FROM base AS producer
COPY --from=producer-packages /opt/venv /opt/venv
COPY freshet freshet
COPY producer producer
USER 10001:10001
EXPOSE 18082
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-m", "freshet.probe", "http://127.0.0.1:18082/readyz"]
CMD ["python", "-m", "producer"]

FROM base AS indexer
COPY --from=indexer-packages /opt/venv /opt/venv
COPY freshet freshet
COPY indexer indexer
USER 10001:10001
EXPOSE 18084
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-m", "freshet.probe", "http://127.0.0.1:18084/readyz"]
CMD ["python", "-m", "indexer"]

# The room `context`: a stage may not have that name.
FROM base AS describer
COPY --from=describer-packages /opt/venv /opt/venv
COPY freshet freshet
COPY context context
USER 10001:10001
EXPOSE 18095
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-m", "freshet.probe", "http://127.0.0.1:18095/readyz"]
CMD ["python", "-m", "context"]

FROM base AS api
COPY --from=api-packages /opt/venv /opt/venv
COPY freshet freshet
COPY api api
USER 10001:10001
EXPOSE 18080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-m", "freshet.probe", "http://127.0.0.1:18080/readyz"]
CMD ["python", "-m", "api"]

FROM base AS ui
COPY --from=ui-packages /opt/venv /opt/venv
COPY freshet freshet
COPY ui ui
USER 10001:10001
EXPOSE 18086
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-m", "freshet.probe", "http://127.0.0.1:18086/readyz"]
CMD ["python", "-m", "ui"]

FROM base AS exporter
COPY --from=exporter-packages /opt/venv /opt/venv
COPY freshet freshet
COPY monitoring monitoring
USER 10001:10001
EXPOSE 18087
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-m", "freshet.probe", "http://127.0.0.1:18087/readyz"]
CMD ["python", "-m", "monitoring"]

# The stand-in for Wikidata is another command of the same image.
FROM base AS eventstreams
COPY --from=eventstreams-packages /opt/venv /opt/venv
COPY freshet freshet
COPY local/__init__.py local/
COPY local/eventstreams local/eventstreams
COPY local/wikidata local/wikidata
USER 10001:10001
EXPOSE 18081 18094
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-m", "freshet.probe", "http://127.0.0.1:18081/readyz"]
CMD ["python", "-m", "local.eventstreams"]

# The streaming queries; master and workers of the cluster are other commands of the same image.
FROM java AS spark
COPY --from=spark-packages /opt/venv /opt/venv
COPY --from=jars /opt/jars /opt/jars
ENV FRESHET_JARS_DIR=/opt/jars
COPY freshet freshet
COPY spark_jobs spark_jobs
USER 10001:10001
EXPOSE 18083 18085
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s \
    CMD ["python", "-m", "freshet.probe", "http://127.0.0.1:18083/readyz"]
CMD ["python", "-m", "spark_jobs.submit", "serve"]

# Scheduler and DAG processor are other commands of the same image. Tasks submit Spark jobs and read history.
FROM java AS airflow
COPY --from=airflow-packages /opt/venv /opt/venv
COPY --from=jars /opt/jars /opt/jars
ENV FRESHET_JARS_DIR=/opt/jars
COPY freshet freshet
COPY producer producer
COPY spark_jobs spark_jobs
COPY dags dags
COPY local/__init__.py local/
COPY local/airflow local/airflow
USER 10001:10001
EXPOSE 18088
HEALTHCHECK --interval=10s --timeout=5s --start-period=180s \
    CMD ["python", "-m", "freshet.probe", "http://127.0.0.1:18088/api/v2/monitor/health", "metadatabase"]
CMD ["python", "-m", "local.airflow", "api-server"]

# `freshet` for what is run by hand, such as `docker compose run --rm command audit`.
FROM base AS command
COPY --from=command-packages /opt/venv /opt/venv
COPY freshet freshet
COPY local local
USER 10001:10001
HEALTHCHECK NONE
ENTRYPOINT ["freshet"]
CMD ["--help"]
