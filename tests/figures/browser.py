"""A headless Chromium, driven through its DevTools protocol over a pair of pipes.

The pipes (`--remote-debugging-pipe`) need neither a port nor a websocket, so the standard library
suffices. Commands and events: https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import fcntl
import json
import os
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from select import select
from typing import Any

# Not `chromium-browser`, which on Ubuntu only says that a snap has to be installed.
NAMES = ("chromium", "google-chrome", "google-chrome-stable")
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--no-first-run", "--no-default-browser-check", "--remote-debugging-pipe"),
)
SECONDS = 120  # for one answer; a shared machine may be slow to start a browser


def find() -> str | None:
    """The path of a Chromium: the one that HW2_CHROMIUM names, or one on the search path.

    Raises:
        BrowserError: if HW2_CHROMIUM names no program.
    """
    named = os.environ.get("HW2_CHROMIUM")
    found = next(filter(None, map(shutil.which, [named] if named else NAMES)), None)
    if named and not found:
        raise BrowserError(f"HW2_CHROMIUM: no program {named!r}; give the path of a Chromium")
    return found


class BrowserError(Exception):
    """Chromium did not start, or answered a command with an error."""


class Browser:
    """A running Chromium with an empty profile; use it in a `with` statement."""

    def __init__(self, binary: str) -> None:
        """Start `binary`."""
        self._folder = tempfile.TemporaryDirectory(
            prefix="hw2-chromium-", ignore_cleanup_errors=True
        )
        self._log = Path(self._folder.name, "chromium.log")
        self._unread = b""
        self._count = 0
        self._pid, self._send, self._receive = self._start(binary)
        self.events: list[dict[str, Any]] = []

    def _start(self, binary: str) -> tuple[int, int, int]:
        """Start Chromium, which reads commands from descriptor 3 and writes answers to 4."""
        (commands, send), (receive, answers) = os.pipe(), os.pipe()
        # Away from 3 and 4, which `posix_spawn` fills one after the other.
        theirs = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in (commands, answers)]
        log = (os.POSIX_SPAWN_OPEN, 2, str(self._log), os.O_WRONLY | os.O_CREAT, 0o600)
        pid = os.posix_spawn(
            binary,
            [binary, *FLAGS, f"--user-data-dir={self._folder.name}/profile", "about:blank"],
            os.environ,
            file_actions=[log, *((os.POSIX_SPAWN_DUP2, fd, k) for k, fd in enumerate(theirs, 3))],
            setpgroup=0,
        )
        for fd in (commands, answers, *theirs):
            os.close(fd)
        return pid, send, receive

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        """End Chromium with all of its processes, and remove its profile."""
        with suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._send)
        os.close(self._receive)
        self._folder.cleanup()

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Run one command and return its result; events that arrive meanwhile are kept.

        Raises:
            BrowserError: if Chromium ended, does not answer in time, or answers with an error.
        """
        self._count += 1
        command = {"id": self._count, "method": method, "params": params}
        if session:
            command["sessionId"] = session
        data = json.dumps(command).encode() + b"\0"
        with suppress(BrokenPipeError):  # it ended, which reading its answer reports
            while data:
                data = data[os.write(self._send, data) :]
        while True:
            answer = self._message(method)
            if answer.get("id") == self._count:
                break
            self.events.append(answer)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        return dict(answer["result"])

    def wait_for(self, event: str, session: str) -> None:
        """Read messages until `event` of `session` has arrived.

        Raises:
            BrowserError: if it does not arrive in time.
        """
        while not any(
            message.get("method") == event and message.get("sessionId") == session
            for message in self.events
        ):
            self.events.append(self._message(event))

    def _message(self, purpose: str) -> dict[str, Any]:
        end = time.monotonic() + SECONDS
        while b"\0" not in self._unread:
            ready, _, _ = select([self._receive], [], [], max(0, end - time.monotonic()))
            chunk = os.read(self._receive, 1 << 20) if ready else b""
            if not chunk:
                why = "ended" if ready else f"gave no answer in {SECONDS} s"
                raise BrowserError(f"{purpose}: Chromium {why}\n{self._log.read_text()[-2000:]}")
            self._unread += chunk
        message, _, self._unread = self._unread.partition(b"\0")
        return dict(json.loads(message))


class Tab:
    """One page, loaded at a given width and color scheme.

    Attributes:
        requests: The URLs that the page has requested, itself included.
        problems: Texts of errors and warnings of the console, and of uncaught exceptions.
    """

    def __init__(self, browser: Browser, page: Path, width: int, scheme: str) -> None:
        """Load the HTML file `page` in a window of `width` pixels, `scheme` "light" or "dark"."""
        self._browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        attached = browser.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = str(attached["sessionId"])
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self._resize(width, 900)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.call("Page.navigate", url=page.resolve().as_uri())
        browser.wait_for("Page.loadEventFired", self._session)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Run one command of the protocol in this tab."""
        return self._browser.call(method, self._session, **params)

    def value(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited if it is a promise.

        Raises:
            BrowserError: if it throws.
        """
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise BrowserError(json.dumps(answer["exceptionDetails"], indent=1))
        return answer["result"].get("value")

    def screenshot(self, file: Path) -> None:
        """Save the whole page, from top to bottom, as a PNG file."""
        size = self.value("[innerWidth, document.documentElement.scrollHeight]")
        self._resize(*size)
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def pdf(self) -> bytes:
        """The page as it would be printed."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])

    def _resize(self, width: int, height: int) -> None:
        size = {"width": width, "height": height}
        self.call(
            "Emulation.setDeviceMetricsOverride", **size, deviceScaleFactor=1, mobile=width < 600
        )

    @property
    def requests(self) -> list[str]:
        return [params["request"]["url"] for params in self._events("Network.requestWillBeSent")]

    @property
    def problems(self) -> list[str]:
        console = [
            " ".join(str(arg.get("value", arg.get("description"))) for arg in params["args"])
            for params in self._events("Runtime.consoleAPICalled")
            if params["type"] in {"error", "warning", "assert"}
        ]
        log = [
            params["entry"]["text"]
            for params in self._events("Log.entryAdded")
            if params["entry"]["level"] in {"error", "warning"}
        ]
        thrown = [
            str(params["exceptionDetails"].get("exception", {}).get("description"))
            for params in self._events("Runtime.exceptionThrown")
        ]
        return console + log + thrown

    def _events(self, method: str) -> list[dict[str, Any]]:
        return [
            message["params"]
            for message in self._browser.events
            if message.get("method") == method and message.get("sessionId") == self._session
        ]
