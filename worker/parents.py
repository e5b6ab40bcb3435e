"""Children that do not outlive their parent: Linux ends them the moment it is gone, however it died."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
"""Looked up at import: after a fork there must be no work that can block."""


def die_with(parent: int, sign: int = signal.SIGKILL) -> None:
    """Ask the kernel to send `sign` to this process when its parent ends; `parent` is the process id expected there.

    A parent that died before the request is noticed too. Elsewhere than on Linux this does nothing: a left-over child is then
    ended by the next start.
    """
    if _libc is None:
        return
    _libc.prctl(PR_SET_PDEATHSIG, int(sign), 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), sign)
