# Tailrace with the libraries of every extra, at the versions of the lock.
#   docker build -t tailrace . && docker run --rm tailrace demo
FROM python:3.11-slim

WORKDIR /opt/tailrace
COPY requirements-all.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements-all.lock
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN pip install --no-cache-dir --no-deps --no-build-isolation .

# Pipelines are mounted at /pipelines; the store of a running one is under /data.
RUN useradd --create-home tailrace && install -d -o tailrace /data
USER tailrace
WORKDIR /data
ENTRYPOINT ["tailrace"]
CMD ["--help"]
