"""The pipeline that the tests of the Python interface run, and lines for it."""

from tailrace import Pipeline

TEXT = """
name: web
source: {file: {path: "access*.ndjson"}}
time: {field: at, grace: 0s}
fields:
  client_ip: text
  status: {type: integer, required: true, min: 100, max: 599}
  took: double
  cached: boolean
rules:
  - alert: flood
    by: client_ip
    window: 10s
    when: count(*) > 2
    annotations: {summary: "{client_ip} made {count} requests"}
  - record: per_status
    by: status
    window: 1m
    select: {requests: count(*), mean: avg(took)}
  - alert: teapot
    when: status = 418
"""


def pipeline(text: str = TEXT) -> Pipeline:
    return Pipeline.parse(text)


def line(at: float, ip: str = "192.0.2.1", status: int = 200) -> str:
    return f'{{"at": {at}, "client_ip": "{ip}", "status": {status}, "took": 0.5}}'
