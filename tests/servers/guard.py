"""Run a server as long as its owner lives, whatever ends the owner; then remove its folder.

A program of its own, started by its path: guard.py OWNER FOLDER LOG USER COMMAND...
It prints the server's process id and, when the server ends, its return code. It stays until the
owner ends or ends it, and takes the server with it.
"""

import ctypes
import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
from contextlib import suppress

PR_SET_PDEATHSIG = 1


def main(owner: int, folder: str, log: str, user: str, *command: str) -> None:
    owner_ended = os.pidfd_open(owner)
    with open(log, "ab") as out:  # noqa: PTH123 - starts faster without pathlib
        server = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=end_with_parent,  # noqa: PLW1509 - there are no threads here
            user=user or None,
            group=pwd.getpwnam(user).pw_gid if user else None,
            extra_groups=[] if user else None,
        )
    server_ended = os.pidfd_open(server.pid)
    tell(server.pid)
    watched = select.poll()
    watched.register(owner_ended, select.POLLIN)
    watched.register(server_ended, select.POLLIN)
    while True:
        ended = {descriptor for descriptor, _ in watched.poll()}
        if server_ended in ended:
            watched.unregister(server_ended)
            tell(server.wait())
        if owner_ended in ended:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()
            shutil.rmtree(folder, ignore_errors=True)
            return


def end_with_parent() -> None:
    """Have the kernel end this process when the guard is killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def tell(number: int) -> None:
    with suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), b"%d\n" % number)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    main(int(sys.argv[1]), *sys.argv[2:])
