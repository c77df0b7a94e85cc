"""``tailrace generate``: made-up traffic, on the terminal, in a pipe, in a file or a topic.

What the traffic is lies in `tailrace.generate`; the commands are in `tailrace.cli.generating`.
"""

from __future__ import annotations

import click

from tailrace.cli.generating.bots import bots
from tailrace.cli.generating.nginx import nginx
from tailrace.cli.generating.packets import packets
from tailrace.cli.generating.server_logs import server_logs


@click.group("generate")
def command() -> None:
    """Write made-up traffic to try rules on."""


for _each in (nginx, bots, server_logs, packets):
    command.add_command(_each)
