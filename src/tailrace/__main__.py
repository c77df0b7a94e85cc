"""Where the program begins, as ``tailrace`` and as ``python -m tailrace``.

Imports take a while, and Ctrl-C in the midst of them must be no traceback: until the command line
is there nothing has begun that would have to end in order. What an error becomes is said in
``tailrace.cli.main``.
"""

from __future__ import annotations

import os
import signal

_EXIT_INTERRUPTED = 130


def main() -> None:
    """Run the command line on ``sys.argv`` and exit; 130 if it is interrupted before."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:
        # A shell that started it in the background has it ignore Ctrl-C.
        from tailrace.cli.main import main as command_line
    else:
        signal.signal(signal.SIGINT, lambda *_: os._exit(_EXIT_INTERRUPTED))
        from tailrace.cli.main import main as command_line

        signal.signal(signal.SIGINT, before)
    try:
        command_line()
    except KeyboardInterrupt:
        # It came between two steps of the command line itself.
        os._exit(_EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
