from __future__ import annotations

import pytest

from tailrace.config.web import WebSettings, host_and_port
from tailrace.errors import PipelineError


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:9464", "127.0.0.1", 9464),
        ("localhost:0", "localhost", 0),
        ("[::1]:65535", "::1", 65535),
    ],
)
def test_addresses_of_this_machine_need_no_token(text: str, host: str, port: int) -> None:
    assert host_and_port(WebSettings(listen=text).listen) == (host, port)


@pytest.mark.parametrize("text", ["0.0.0.0:9464", "[::]:1", "10.0.0.1:80", "web.example:80"])
def test_others_need_one(text: str) -> None:
    with pytest.raises(PipelineError, match="without a token"):
        WebSettings(listen=text)
    assert WebSettings(listen=text, token="t").listen == text  # noqa: S106 - of this test


@pytest.mark.parametrize("text", ["9464", "host", "host:", ":80", "::1:80", "host:65536", "h:1/x"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(PipelineError, match="not host:port"):
        WebSettings(listen=text)
