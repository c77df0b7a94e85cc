"""A page in real Chromium: what the document is once it is laid out."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.servers.installed import program

PATIENCE_SECONDS = 90

OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--virtual-time-budget=2000"),
)


def measured(page: str, script: str, folder: Path, *, width: int, dark: bool = False) -> Any:
    """What a script's expression is in the page; `Missing` if Chromium isn't installed.

    The page's own policy against scripts is taken out first: what keeps its text from becoming
    script must hold without it.
    """
    chromium = program("chromium", "chromium")
    begin, end = "<result-of-test>", "</result-of-test>"
    asking = (
        "<script>document.body.appendChild(document.createElement('result-of-test'))"
        f".textContent = JSON.stringify({script});</script>"
    )
    head, policy, rest = page.partition('<meta http-equiv="Content-Security-Policy"')
    assert policy
    body = head + rest.partition(">")[2]
    assert body.count("</body>") == 1
    file = folder / "page.html"
    file.write_text(body.replace("</body>", f"{asking}</body>"), encoding="utf-8")
    command = [
        chromium,
        *OPTIONS,
        f"--user-data-dir={folder / 'profile'}",
        f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        f"--window-size={width},900",
        "--dump-dom",
        file.as_uri(),
    ]
    ran = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS
    )
    found = ran.stdout.partition(begin)[2].partition(end)[0]
    assert found, ran.stderr
    return json.loads(found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
