"""A gate in front of the node, as people put one there: TLS, and only those who are known."""

from __future__ import annotations

import base64
import ssl
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import urllib3

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KNOWN = {
    "Basic " + base64.b64encode(b"writer:p@ss/word").decode(),
    "ApiKey c2VjcmV0",
}


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1, signed by itself, with its key in one file."""
    path = folder / "gate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=gate"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", f"{path}.crt"),
        ],
        check=True,
        capture_output=True,
    )
    crt = path.with_name(path.name + ".crt")
    path.write_bytes(path.read_bytes() + crt.read_bytes())
    return crt


@contextmanager
def gate(node: str, crt: Path) -> Iterator[str]:
    """A server that passes on what known people ask; gives its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.headers.get("authorization") in KNOWN:
                kind = self.headers.get("content-type", "application/json")
                answer = urllib3.request(
                    self.command, node + self.path, body=body, headers={"content-type": kind}
                )
                status, data = answer.status, answer.data
            else:
                status, data = 401, b'{"error":{"type":"security_exception","reason":"who?"}}'
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_HEAD = do_POST = do_PUT = _pass_on  # noqa: N815 - as the library asks for them

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt.with_suffix(""))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
