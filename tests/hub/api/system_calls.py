"""The system calls of a child process, counted as the kernel is asked for them: by ptrace, with no tool to install."""

import ctypes
import os
import platform
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Final

import pytest

SYNCS: Final = {"x86_64": {74: "fsync", 75: "fdatasync"}, "aarch64": {82: "fsync", 83: "fdatasync"}}
_TRACEME, _SYSCALL, _SETOPTIONS, _GET_SYSCALL_INFO = 0, 24, 0x4200, 0x420E
_SYSGOOD, _FORK, _VFORK, _CLONE, _EXEC, _EXITKILL = 1, 2, 4, 8, 16, 0x100000
_ALL_THREADS: Final = 0x40000000
_ENTRY: Final = 1
_AT_A_CALL: Final = signal.SIGTRAP | 0x80


class _Info(ctypes.Structure):
    """struct ptrace_syscall_info, as far as the number of the call (linux/ptrace.h, since 5.3)."""

    _fields_ = (
        ("op", ctypes.c_uint8),
        ("pad", ctypes.c_uint8 * 3),
        ("arch", ctypes.c_uint32),
        ("instruction", ctypes.c_uint64),
        ("stack", ctypes.c_uint64),
        ("number", ctypes.c_uint64),
        ("rest", ctypes.c_uint64 * 8),
    )


def syncs_of(command: Sequence[str]) -> Counter[str]:
    """How often the command, which must end well, asked for fsync and fdatasync; its threads and children too."""
    numbers = SYNCS.get(platform.machine())
    if sys.platform != "linux" or numbers is None:
        pytest.skip(f"system calls are counted on Linux (x86-64, ARM64), not on {sys.platform} {platform.machine()}")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    libc.ptrace.restype = ctypes.c_long
    child = os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", _STOPS_THEN_RUNS, *command],
        {**os.environ},
    )
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status):
        pytest.skip("this machine lets no process trace another: system calls cannot be counted")
    options = _SYSGOOD | _FORK | _VFORK | _CLONE | _EXEC | _EXITKILL
    assert libc.ptrace(_SETOPTIONS, child, None, options) == 0
    libc.ptrace(_SYSCALL, child, None, None)
    counted: Counter[str] = Counter()
    info = _Info()
    while True:
        thread, status = os.waitpid(-1, _ALL_THREADS)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            if thread == child:
                assert os.waitstatus_to_exitcode(status) == 0
                return counted
            continue
        stopped = os.WSTOPSIG(status)
        if stopped == _AT_A_CALL:
            libc.ptrace(_GET_SYSCALL_INFO, thread, ctypes.sizeof(info), ctypes.addressof(info))
            if info.op == _ENTRY and info.number in numbers:
                counted[numbers[info.number]] += 1
        handed = 0 if stopped in (_AT_A_CALL, signal.SIGTRAP, signal.SIGSTOP) else stopped
        libc.ptrace(_SYSCALL, thread, None, handed)


_STOPS_THEN_RUNS: Final = f"""
import ctypes, os, signal, sys
if ctypes.CDLL(None).ptrace({_TRACEME}, 0, None, None) != 0:
    sys.exit(3)
os.kill(os.getpid(), signal.SIGSTOP)
os.execv(sys.argv[1], sys.argv[1:])
"""
