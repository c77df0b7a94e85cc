"""How a server's certificate is checked, and which one is shown to it."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from tailrace.config.base import Given, Model
from tailrace.config.complaints import Complaint
from tailrace.config.scalars import Filled, Flag


class TlsSettings(Model):
    """TLS of a server that rows go to; all paths are of PEM files."""

    ca: Filled | None = Field(
        default=None,
        description="Who must have signed the server's certificate; by default the system's list.",
        examples=["/etc/ssl/our-ca.pem"],
    )
    certificate: Filled | None = Field(
        default=None, description="The certificate that is shown to the server."
    )
    key: Filled | None = Field(
        default=None, description="Its private key, if it isn't in the same file."
    )
    verify: Flag = Field(
        default=True,
        description="`false` takes any certificate: whoever is in between can read and answer.",
    )

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """A key belongs to a certificate."""
        if given.get("key") is not None and given.get("certificate") is None:
            yield Complaint(("key",), "a key without its certificate", "add 'certificate'")
