"""Real servers for tests, benchmarks, demonstrations and people to play with.

Each server is a class: `start`, `stop`, `kill`, `pause`, `resume`, `restart`, and what its users
need to talk to it. It is found by an environment variable that names one that runs already, or
started from what `make servers` installed, on free ports, with its data in a temporary folder.

`group` shares them among tests; `tests/services/conftest.py` has the fixtures.
"""
