"""A Firefox as it is installed, over WebDriver BiDi: just what a test's hand needs.

Playwright drives only a Firefox of its own making, which a school does not have.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
PREFERENCES = """
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.startup.page", 0);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("datareporting.policy.dataSubmissionPolicyBypassNotification", true);
user_pref("toolkit.telemetry.enabled", false);
user_pref("app.update.enabled", false);
user_pref("browser.newtabpage.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("intl.accept_languages", "en-GB, en");
"""
PATIENCE = 60.0  # seconds; a wait ends as soon as what it waits for is there


class Tab:
    """The one tab of a Firefox."""

    def __init__(self, wire: ClientConnection) -> None:
        self.wire = wire
        self.numbers = itertools.count(1)
        self.ask("session.new", capabilities={})
        tree = self.ask("browsingContext.getTree")
        self.context: str = tree["contexts"][0]["context"]
        size = {"width": 1400, "height": 900}
        self.ask("browsingContext.setViewport", context=self.context, viewport=size)

    def ask(self, method: str, **params: Any) -> Any:
        """One command; its result.

        Raises:
            RuntimeError: Firefox refuses.
        """
        number = next(self.numbers)
        self.wire.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            said = json.loads(self.wire.recv(timeout=PATIENCE))
            if said.get("id") == number:
                if said["type"] == "error":
                    raise RuntimeError(f"{method}: {said['error']}: {said['message']}")
                return said["result"]

    def goto(self, address: str) -> None:
        self.ask("browsingContext.navigate", context=self.context, url=address, wait="complete")

    def run(self, expression: str) -> Any:
        """What a JavaScript expression gives, as plain data."""
        said = self.ask(
            "script.evaluate",
            expression=f"JSON.stringify(({expression}) ?? null)",
            target={"context": self.context},
            awaitPromise=True,
        )
        if said["type"] == "exception":
            raise RuntimeError(said["exceptionDetails"]["text"])
        return json.loads(said["result"]["value"])

    def wait(self, expression: str) -> Any:
        """Until a JavaScript expression gives something, and what that is."""
        deadline = time.monotonic() + PATIENCE
        while not (found := self.run(expression)):
            if time.monotonic() > deadline:
                text = self.run("document.body.innerText.slice(0, 3000)")
                raise AssertionError(f"waited in vain for {expression}; the page says: {text}")
            time.sleep(0.1)
        return found

    def sees(self, text: str) -> None:
        """Wait until the page says ``text``."""
        self.wait(f"document.body.innerText.includes({json.dumps(text)})")

    def place(self, element: str) -> tuple[float, float]:
        """Where the middle of an element is, which is scrolled to; ``element`` is JavaScript."""
        self.wait(f"!!({element})")
        x, y = self.run(
            f"(() => {{ const e = {element}; e.scrollIntoView({{block: 'center'}}); "
            "const r = e.getBoundingClientRect(); "
            "return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        return x, y

    def click(self, element: str) -> None:
        self.stroke([self.place(element)])

    def stroke(self, points: Sequence[tuple[float, float]]) -> None:
        """Press the mouse at the first point, go through the others, let go."""
        moves = [
            {"type": "pointerMove", "x": round(x), "y": round(y), "duration": 50} for x, y in points
        ]
        actions = [moves[0], {"type": "pointerDown", "button": 0}, *moves[1:]]
        actions.append({"type": "pointerUp", "button": 0})
        self._act({"type": "pointer", "id": "mouse", "actions": actions})

    def press(self, key: str) -> None:
        actions = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keys", "actions": actions})

    def _act(self, source: dict[str, Any]) -> None:
        self.ask("input.performActions", context=self.context, actions=[source])


@contextmanager
def firefox() -> Iterator[Tab]:
    """A fresh Firefox without a window, and its tab."""
    assert FIREFOX is not None
    with tempfile.TemporaryDirectory() as profile:
        (Path(profile) / "user.js").write_text(PREFERENCES)
        command = [FIREFOX, "--headless", "--no-remote", "--profile", profile]
        running = subprocess.Popen(
            [*command, "--remote-debugging-port=0", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert running.stderr is not None
            found = next(filter(None, map(LISTENS.search, running.stderr)))
            with connect(f"{found[1]}/session", max_size=None, open_timeout=PATIENCE) as wire:
                yield Tab(wire)
        finally:
            running.terminate()
            running.wait(timeout=30)
            running.stderr.close()


__all__ = ["FIREFOX", "Tab", "firefox"]
