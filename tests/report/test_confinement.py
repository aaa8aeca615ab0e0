"""The process that fills in a stranger's templates may not write, connect or start anything."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="Landlock and seccomp are Linux's")

CONFINED = """
import ctypes, encodings.idna, os, pathlib, shutil, socket, subprocess, sys, threading, urllib.request
from reportgen.report.confinement import confine

user, here = sys.argv[1:]
library = ctypes.CDLL(None)
library.__errno_location.restype = ctypes.POINTER(ctypes.c_int)
NAMES = (
    "fork vfork execv socket open openat creat unlink rename mkdir rmdir link symlink chmod chown truncate kill"
)
calls = {name: getattr(library, name) for name in NAMES.split()}
error = library.__errno_location()
os.access("/nowhere", 0)
if user == "nobody":
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
had = confine()
print("had", *(name for name, has in had.items() if has))
file, new = here + "/there", here + "/new"

def told(name, function):
    try:
        function()
    except BaseException as fault:
        print(name, type(fault).__name__)
    else:
        print(name, "DONE")

# by Python
told("write", lambda: open(file, "w"))
told("append", lambda: open(file, "ab"))
told("create", lambda: os.open(new, os.O_CREAT | os.O_WRONLY))
told("path", lambda: pathlib.Path(new).write_text("x"))
told("remove", lambda: os.remove(file))
told("rename", lambda: os.rename(file, new))
told("mkdir", lambda: os.mkdir(new))
told("link", lambda: os.symlink(file, new))
told("chmod", lambda: os.chmod(file, 0o777))
told("copy", lambda: shutil.copy(file, new))
told("system", lambda: os.system("true"))
told("run", lambda: subprocess.run(["true"]))
told("fork", os.fork)
told("spawn", lambda: os.posix_spawn("/bin/true", ["true"], {}))
told("exec", lambda: os.execv("/bin/true", ["true"]))
told("thread", lambda: threading.Thread(target=print).start())
told("socket", socket.socket)
told("connect", lambda: socket.create_connection(("127.0.0.1", 9)))
told("url", lambda: urllib.request.urlopen("http://127.0.0.1:9"))
told("ctypes", lambda: ctypes.CDLL(None))
told("kill", lambda: os.kill(os.getppid(), 0))
# past Python, by the C library
path, to = file.encode(), new.encode()
arguments = {
    "execv": (b"/bin/true", None), "socket": (2, 1, 0), "open": (path, os.O_WRONLY), "creat": (to, 0o600),
    "openat": (-100, to, os.O_CREAT | os.O_WRONLY, 0o600), "unlink": (path,), "rename": (path, to),
    "mkdir": (to, 0o700), "rmdir": (here.encode(),), "link": (path, to), "symlink": (path, to),
    "chmod": (path, 0o777), "chown": (path, 0, 0), "truncate": (path, ctypes.c_long(0)), "kill": (os.getppid(), 0),
}
for name, call in calls.items():
    refused = call(*arguments.get(name, ())) == -1 and error.contents.value in (1, 13)
    print("c", name, "REFUSED" if refused else "DONE")
print("environment", len(os.environ))
print("read", open(file).read())
"""


def confined(user: str, folder: Path) -> dict[str, str]:
    """Return what a confined process of that user comes to, by what it tried."""
    (folder / "there").write_text("as it was")
    for place in (folder / "there", folder, *folder.parents):
        if place.is_relative_to("/tmp") and place != Path("/tmp"):  # noqa: S108 - so that nobody is kept out by rights
            place.chmod(0o777)
    command = [sys.executable, "-c", CONFINED, user, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(line.rsplit(" ", 1) for line in done.stdout.splitlines() if not line.startswith(("had", "read")))


@LINUX
@pytest.mark.parametrize("user", [
    pytest.param("root", marks=pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root")),
    pytest.param("nobody", marks=pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root")),
    "same",
])  # fmt: skip
def test_nothing_is_written_started_or_connected(user: str, tmp_path: Path) -> None:
    """Neither by Python nor by the C library, neither as root nor as a user without rights; reading is left."""
    found = confined(user, tmp_path)
    by_python = {name: outcome for name, outcome in found.items() if not name.startswith(("c ", "environment"))}
    assert len(by_python) == 21
    expected = dict.fromkeys(by_python, "PermissionError") | {"thread": "RuntimeError"}
    assert by_python == expected
    by_library = {name: outcome for name, outcome in found.items() if name.startswith("c ")}
    assert by_library == dict.fromkeys(by_library, "REFUSED")
    assert len(by_library) == 17
    assert found["environment"] == "0"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["there"]
    assert (tmp_path / "there").read_text() == "as it was"


def test_the_audit_hook_alone_refuses_the_same(tmp_path: Path) -> None:
    """Where a system has neither Landlock nor seccomp, Python says no to what its own functions would do."""
    alone = "from reportgen.report.confinement import _refuse; sys.addaudithook(_refuse); had = {}"
    script = CONFINED.replace("had = confine()", alone).partition("# past Python")[0]
    (tmp_path / "there").write_text("as it was")
    done = subprocess.run(
        [sys.executable, "-c", script, "same", str(tmp_path)], capture_output=True, text=True, check=False
    )
    found = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines() if " " in line)
    assert {name for name, outcome in found.items() if outcome != "PermissionError"} == {"thread"}, done.stderr
    assert (tmp_path / "there").read_text() == "as it was"
