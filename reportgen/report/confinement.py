"""The process that fills in a stranger's templates, shut off from the rest of the machine.

Templates are given nothing that reaches the system. Should one get at Python all the same, the process may not
write, connect or start anything: the system says so where it can (Linux: Landlock, and a seccomp filter on x86-64
and ARM64; any Unix: limits of resources), and Python's audit hook everywhere. All of it holds for a user without
rights and for root. It cannot be taken back, so that only a process of its own is confined.
"""

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_NO_NEW_PRIVILEGES = 38
_EPERM = 1

# linux/landlock.h; the numbers of its system calls are the same on every architecture
_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_VERSION = 1
_WRITING = {1: 0x1FF3, 2: 0x3FF3, 3: 0x7FF3, 5: 0xFFF3}
"""By the version of Landlock that knows them, all rights to files but to read files and folders: bits 2 and 3."""
_NETWORK = {4: 0x3}
"""To bind and to connect a TCP socket."""
_SCOPES = {6: 0x3}
"""Abstract Unix sockets and signals to processes outside."""

# linux/seccomp.h, linux/audit.h, linux/bpf_common.h
_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ARCHITECTURE_AT, _NUMBER_AT = 4, 0

_CALLS: dict[str, tuple[int, int, dict[str, int]]] = {
    "x86_64": (0xC000003E, 317, {
        "socket": 41, "connect": 42, "accept": 43, "sendto": 44, "sendmsg": 46, "bind": 49, "listen": 50,
        "socketpair": 53, "clone": 56, "fork": 57, "vfork": 58, "execve": 59, "kill": 62, "truncate": 76,
        "ftruncate": 77, "rename": 82, "mkdir": 83, "rmdir": 84, "creat": 85, "link": 86, "unlink": 87,
        "symlink": 88, "chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93, "lchown": 94, "ptrace": 101,
        "setuid": 105, "setgid": 106, "setreuid": 113, "setregid": 114, "setresuid": 117, "setresgid": 119,
        "utime": 132, "mknod": 133, "pivot_root": 155, "mount": 165, "umount2": 166, "swapon": 167,
        "reboot": 169, "init_module": 175, "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190,
        "removexattr": 197, "lremovexattr": 198, "fremovexattr": 199, "tkill": 200, "utimes": 235,
        "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250, "mkdirat": 258, "mknodat": 259,
        "fchownat": 260, "futimesat": 261, "unlinkat": 263, "renameat": 264, "linkat": 265, "symlinkat": 266,
        "fchmodat": 268, "unshare": 272, "utimensat": 280, "accept4": 288, "perf_event_open": 298,
        "open_by_handle_at": 304, "sendmmsg": 307, "setns": 308, "process_vm_readv": 310,
        "process_vm_writev": 311, "finit_module": 313, "renameat2": 316, "memfd_create": 319, "bpf": 321,
        "execveat": 322, "userfaultfd": 323,
    }),
    "aarch64": (0xC00000B7, 277, {
        "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "removexattr": 14, "lremovexattr": 15, "fremovexattr": 16,
        "mknodat": 33, "mkdirat": 34, "unlinkat": 35, "symlinkat": 36, "linkat": 37, "renameat": 38,
        "umount2": 39, "mount": 40, "pivot_root": 41, "truncate": 45, "ftruncate": 46, "fchmod": 52,
        "fchmodat": 53, "fchownat": 54, "fchown": 55, "utimensat": 88, "unshare": 97, "kexec_load": 104,
        "init_module": 105, "ptrace": 117, "kill": 129, "tkill": 130, "reboot": 142, "setregid": 143,
        "setgid": 144, "setreuid": 145, "setuid": 146, "setresuid": 147, "setresgid": 149, "socket": 198,
        "socketpair": 199, "bind": 200, "listen": 201, "accept": 202, "connect": 203, "sendto": 206,
        "sendmsg": 211, "add_key": 217, "request_key": 218, "keyctl": 219, "clone": 220, "execve": 221,
        "swapon": 224, "perf_event_open": 241, "accept4": 242, "open_by_handle_at": 265, "setns": 268,
        "sendmmsg": 269, "process_vm_readv": 270, "process_vm_writev": 271, "finit_module": 273,
        "renameat2": 276, "memfd_create": 279, "bpf": 280, "execveat": 281, "userfaultfd": 282,
    }),
}  # fmt: skip
"""By machine: the architecture's number, that of seccomp(2), and those of the calls that are refused: to connect,
to start and to watch processes, to change files and rights, and to ask the kernel for another way to do so."""

_CALLS_OF_ALL = {
    "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "pidfd_open": 434, "clone3": 435, "pidfd_getfd": 438, "fchmodat2": 452,
}  # fmt: skip

_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_REFUSED_EVENTS = (
    "socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "os.startfile",
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
    "os.chown", "os.chflags", "os.setxattr", "os.removexattr", "os.utime", "os.putenv", "os.kill",
    "os.add_dll_directory", "shutil.", "ctypes.", "winreg.", "msvcrt.", "pty.", "ftplib.", "smtplib.", "urllib.",
    "http.", "webbrowser.", "sqlite3.", "syslog.", "mmap.",
)  # fmt: skip
"""How the names of what Python tells its audit hooks begin, of all that a template has no business with."""


def confine(start: Callable[[], object] = lambda: None) -> dict[str, bool]:
    """Take from this process, for good, the right to write, to connect and to start processes or threads.

    Args:
        start: starts the threads that the process needs besides; they are confined as this one is.

    Returns for each means whether the system has it: landlock, seccomp, limits, and audit.
    """
    os.environ.clear()
    had = {"limits": _limit_resources(), "landlock": False, "seccomp": False, "audit": True}
    library = _library()
    if library:
        library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        had["landlock"] = _restrict_files(library.syscall)
    start()
    if library:
        had["seccomp"] = _filter_calls(library.syscall)
    sys.addaudithook(_refuse)
    return had


def _library() -> Any:
    """Return the C library, on Linux."""
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
        if library:
            library.syscall.restype = ctypes.c_long
        return library
    return None


def _limit_resources() -> bool:
    """Let no file grow, no process begin (of a user other than root), and no core be left."""
    if resource is None:
        return False
    for name in ("RLIMIT_FSIZE", "RLIMIT_CORE", "RLIMIT_NPROC"):
        with suppress(ValueError, OSError, AttributeError):
            resource.setrlimit(getattr(resource, name), (0, 0))
    return True


def _restrict_files(call: Callable[..., int]) -> bool:
    """Refuse to change, make or run any file, and TCP where the kernel knows how."""
    version = call(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    if version < 1:
        return False
    files, network, scopes = (_of_version(rights, version) for rights in (_WRITING, _NETWORK, _SCOPES))
    rules = struct.pack("QQQ", files, network, scopes)[: 8 if version < 4 else 16 if version < 6 else 24]
    ruleset = call(_CREATE_RULESET, ctypes.c_char_p(rules), ctypes.c_size_t(len(rules)), 0)
    if ruleset < 0:
        return False
    done = call(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return done == 0


def _of_version(rights: dict[int, int], version: int) -> int:
    known = [bits for since, bits in rights.items() if since <= version]
    return known[-1] if known else 0


def _filter_calls(call: Callable[..., int]) -> bool:
    """Refuse the calls of the list, in every thread, with EPERM; those of another architecture, too."""
    if platform.machine() not in _CALLS or struct.calcsize("P") != 8:
        return False
    architecture, seccomp, numbers = _CALLS[platform.machine()]
    program = _program(architecture, sorted({*numbers.values(), *_CALLS_OF_ALL.values()}))
    filters = ctypes.create_string_buffer(program)
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(filters))
    return call(seccomp, _SET_MODE_FILTER, _ALL_THREADS, ctypes.c_char_p(header)) == 0


def _program(architecture: int, refused: list[int]) -> bytes:
    """Return the filter: instructions of code, jump if so, jump if not, and operand."""
    last = len(refused)
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_IF_EQUAL, 0, last + 3, architecture),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_JUMP_IF_AT_LEAST, last + 1, 0, 0x40000000),  # the 32-bit calls of x86-64 have numbers of their own
        *((_JUMP_IF_EQUAL, last - at, 0, number) for at, number in enumerate(refused)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE | _EPERM),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise PermissionError for what templates may not do; Python calls this before it does it."""
    if event == "open":
        _, mode, flags = arguments
        writes = (flags or 0) & _WRITE_FLAGS or any(sign in (mode or "") for sign in "wax+")
    else:
        writes = event.startswith(_REFUSED_EVENTS)
    if writes:
        raise PermissionError(f"templates may not do this: {event}")
