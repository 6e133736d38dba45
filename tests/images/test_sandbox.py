"""Code that takes over a process which decodes pictures finds nothing there: no file, no socket,
no process.
"""

import json
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from service.images import lab
from service.images.darkroom import sandbox
from service.images.darkroom.jobs import LOCKED
from service.settings import Settings, UnsafeSetting
from tests.images.pictures import upload
from tests.serving import Store, running, settings_for

pytestmark = pytest.mark.usefixtures("cold_darkrooms")
ROOT = Path(__file__).parent.parent.parent
# What runs inside a real darkroom in place of its work, with the wall in `without` left out.
INTRUDER = """
import ctypes, mmap, os, resource, signal, socket, sys, threading
import service.images.darkroom.__main__ as darkroom

def forked():
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)

def called(name, *arguments):
    if ctypes.CDLL(None, use_errno=True)[name](*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)

secret, elsewhere = {secret!r}, {elsewhere!r}
ATTEMPTS = {{
    "read a file of the system": lambda: open("/etc/passwd").close(),
    "read the secret key": lambda: open(secret).close(),
    "read the service's environment": lambda: open(f"/proc/{{os.getppid()}}/environ").close(),
    "read the service's memory": lambda: open(f"/proc/{{os.getppid()}}/mem").close(),
    "list a folder": lambda: os.listdir("/"),
    "write elsewhere": lambda: open(elsewhere, "w").close(),
    "remove a file": lambda: os.unlink(elsewhere),
    "open a socket": lambda: socket.socket().close(),
    "open a local socket": lambda: socket.socketpair(),
    "fork": forked,
    "start a program": lambda: os.waitpid(os.posix_spawn("/bin/true", ["true"], {{}}), 0),
    "start a thread": lambda: threading.Thread(target=int).start(),
    "signal the service": lambda: os.kill(os.getppid(), 0),
    "make memory code": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC),
    "raise its own limit": lambda: resource.setrlimit(resource.RLIMIT_CPU, (9, 9)),
    "outlive the end of its time": lambda: signal.signal(signal.SIGXCPU, signal.SIG_IGN),
    "become somebody else": lambda: called("setresuid", 65534, 65534, 65534),
}}

def tried(attempt):
    try:
        attempt()
    except (OSError, RuntimeError, ValueError) as fault:
        return type(fault).__name__
    return "done"

darkroom._answer = lambda line, files: {{name: tried(attempt) for name, attempt in ATTEMPTS.items()}}
for wall in {without!r}:
    setattr(darkroom.sandbox, wall, lambda: None)
darkroom.main()
"""


def intruded(tmp_path: Path, *, without: tuple[str, ...] = (), locked: bool = True) -> dict[str, str]:
    """What became of each attempt; the process has both walls, less those that are left out."""
    (tmp_path / "secret-key").write_text("secret")
    code = INTRUDER.format(
        secret=str(tmp_path / "secret-key"), elsewhere=str(tmp_path / "new"), without=without
    )
    jobs, its_end = socket.socketpair()
    with jobs, its_end:
        command = [sys.executable, "-c", code, "600000000", "cp1252", *([LOCKED] if locked else [])]
        process = subprocess.Popen(command, stdin=its_end.fileno(), stdout=subprocess.PIPE, cwd=ROOT)
        its_end.close()
        jobs.sendall(b"{}\n")
        jobs.shutdown(socket.SHUT_WR)
        answers = process.communicate(timeout=60)[0].splitlines()
    assert process.returncode == 0
    assert json.loads(answers[0]) == []
    return json.loads(answers[1])


@pytest.mark.skipif(sandbox.lacking() != (), reason="this kernel lacks Landlock or seccomp")
class TestWithWalls:
    @pytest.mark.slow
    def test_code_inside_a_darkroom_can_do_nothing_but_decode(self, tmp_path: Path):
        freely = intruded(tmp_path, locked=False)
        assert set(freely.values()) == {"done"}, "an attempt that fails without walls proves nothing"
        (tmp_path / "new").touch()
        denied = intruded(tmp_path)
        assert set(denied.values()) <= {"PermissionError", "RuntimeError", "ValueError"}, denied
        assert (tmp_path / "new").exists()

    @pytest.mark.parametrize("missing", ["_deny_paths", "_deny_calls"])
    def test_each_wall_keeps_files_away_by_itself(self, tmp_path: Path, missing: str):
        found = intruded(tmp_path, without=(missing,))
        files = ("read a file of the system", "read the secret key", "list a folder", "write elsewhere")
        assert {found[name] for name in files} == {"PermissionError"}

    def test_health_says_that_the_walls_stand(self, client: httpx.Client):
        assert client.get("/health/ready").json()["picture_sandbox"] == "ok"


def dumpable(code: str, folder: Path) -> str:
    """What the kernel says of a process that has run the code: 0 when nobody may look into it."""
    asked = f"import ctypes\n{code}\nprint(ctypes.CDLL(None).prctl(3))"
    environment = {"COPYDESK_DATABASE_URL": f"sqlite:///{folder}/a.db", "PYTHONPATH": str(ROOT)}
    shown = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, env=environment, cwd=folder, check=True
    )
    return shown.stdout.strip()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this switch")
def test_no_other_process_may_look_into_the_service_or_a_darkroom(tmp_path: Path):
    assert dumpable("", tmp_path) == "1"
    assert dumpable("from service.main import app_from_environment as make; make()", tmp_path) == "0"
    assert dumpable("from service.images.darkroom import sandbox; sandbox.hide()", tmp_path) == "0"


class TestWithoutWalls:
    @pytest.fixture(autouse=True)
    def _old_kernel(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sandbox, "lacking", lambda: ("landlock", "seccomp"))

    def test_a_service_that_requires_the_walls_does_not_start(self, tmp_path: Path):
        settings = settings_for("sqlite:///unused", tmp_path, picture_sandbox="require")
        with pytest.raises(UnsafeSetting, match="landlock and seccomp"):
            lab.require_sandbox(settings)

    @pytest.mark.slow
    def test_another_says_so_once_and_takes_pictures(
        self, database_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ):
        settings = settings_for(database_url, tmp_path, log_level="warning")
        with running(settings) as store, store.client("content:read", "content:write") as editor:
            ready = editor.get("/health/ready")
            assert (ready.status_code, ready.json()["picture_sandbox"]) == (200, "lacks landlock and seccomp")
            assert upload(editor).status_code == 201
        said = capfd.readouterr()
        assert (said.out + said.err).count("lacks landlock and seccomp") == 1


class TestTurnedOff:
    @pytest.fixture
    def settings(self, database_url: str, tmp_path: Path) -> Settings:
        return settings_for(database_url, tmp_path, picture_sandbox="off")

    def test_health_says_that_there_are_no_walls(self, store: Store, editor: httpx.Client):
        assert editor.get("/health/ready").json()["picture_sandbox"] == "off"
        assert upload(editor).status_code == 201
