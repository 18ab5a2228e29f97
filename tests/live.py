"""The real server on loopback, for tests that speak to it over its sockets."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PATIENCE = 180.0  # seconds until a failing test gives up
ENDING = 60.0  # seconds in which a server that is told to end must have done so
STARTING = 180.0  # the same for a start, which imports everything
SHORT = "2"  # seconds of the server's own patience


class Server:
    """``streamlit run app.py`` on a free port, with data, log and a short patience of its own."""

    def __init__(self, folder: Path, *options: str, **more: str) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        more = {
            "PLAYGROUND_DATA": str(folder / "data"),
            "PLAYGROUND_PAUSE_AFTER": SHORT,
            "PLAYGROUND_SILENT_AFTER": SHORT,
            "OMP_NUM_THREADS": "1",
            **more,
        }
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
        command += [f"--server.port={self.port}", *(options or ("--server.address=127.0.0.1",))]
        with (folder / "server.log").open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **more},
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + STARTING
        while time.monotonic() < end and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_stcore/health", timeout=1)
                return
            except OSError:
                time.sleep(0.05)
        pytest.fail("the server did not start: " + self.log())

    def log(self) -> str:
        return (self.folder / "server.log").read_text()

    def memory(self) -> int:
        """Bytes of its resident set."""
        status = Path("/proc", str(self.process.pid), "status").read_text()
        found = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(found.split()[1]) * 1024

    def end(self, how: signal.Signals) -> None:
        """Tell it to end; it must do so by itself, and without a complaint."""
        self.process.send_signal(how)
        assert self.process.wait(timeout=ENDING) == 0, self.log()[-3000:]
        for word in ("terminate called", "Fatal", "Traceback", "Exception"):
            assert word not in self.log(), self.log()[-3000:]

    def kill(self) -> None:
        """End it if it is there still, as a failing test leaves it."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """A GET of its own: status, headers in small letters, body as it came."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with closing(connection):
            connection.request(
                "GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()}
            )
            answer = connection.getresponse()
            body = answer.read()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, body
