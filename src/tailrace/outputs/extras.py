"""Libraries of servers, which not everybody has: loaded when a pipeline names such an output."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from tailrace.errors import OutputError


def extra(name: str, module: str) -> ModuleType:
    """The module of an extra of this package; OutputError says how to install it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise OutputError(
            f"an output of this kind needs the library {module.partition('.')[0]}",
            hint=f"pip install 'tailrace[{name}]'",
        ) from error
