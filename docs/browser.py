"""A headless Chromium driven over its debugging pipe: open a page, wait, click, take a picture.

Only the standard library is needed, and no port is opened.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
_FROM_US, _TO_US = 3, 4
"""File descriptors that Chromium reads commands from and writes answers to."""


class Browser:
    """One browser process with one page; ended on leaving the context."""

    def __init__(self, program: str) -> None:
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        theirs_in, self._ours_out = _high_pipe()
        self._ours_in, theirs_out = _high_pipe()

        def connect() -> None:
            os.dup2(theirs_in, _FROM_US)
            os.dup2(theirs_out, _TO_US)

        self.process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={self._profile.name}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=connect, close_fds=False, start_new_session=True,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self._answers = os.fdopen(self._ours_in, "rb")
        self._sent = 0
        self._session: str | None = None

    def __enter__(self) -> Browser:
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self._call("Page.enable")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        with suppress(OSError, RuntimeError, subprocess.TimeoutExpired):  # it may be gone already
            self._session = None
            self._call("Browser.close")
            self.process.wait(timeout=10)
        end(self.process)
        os.close(self._ours_out)
        self._answers.close()
        self._profile.cleanup()

    def before_every_page(self, script: str) -> None:
        """Run `script` in each page before its own scripts."""
        self._call("Page.addScriptToEvaluateOnNewDocument", source=script)

    def open(self, url: str, width: int, height: int) -> None:
        """Open `url` in a window of the given size in pixels."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        # A page that differs after the # only would not be loaded again.
        self._call("Page.navigate", url="about:blank")
        self._call("Page.navigate", url=url)

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    def wait_for(self, condition: str, limit: float = 60.0) -> None:
        """Return when the JavaScript condition has held for a second.

        Raises:
            TimeoutError: it did not within `limit` seconds.
        """
        deadline, held = time.monotonic() + limit, 0
        while held < 5:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the page did not reach `{condition}` within {limit:.0f} s")
            held = held + 1 if self.evaluate(condition) else 0
            time.sleep(0.2)

    def move_pointer(self, x: float, y: float) -> None:
        """Move the mouse to a place in the window, in pixels."""
        self._call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, x: float, y: float) -> None:
        """Press and release the left button of the mouse at a place in the window, in pixels."""
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key: str) -> None:
        """Press and release a key that writes no letter, such as `ArrowLeft` or `Tab`."""
        for kind in ("rawKeyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def prefer(self, scheme: str) -> None:
        """Let pages see a reader who prefers `light` or `dark`."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self._call("Emulation.setEmulatedMedia", features=[feature])

    def save_picture(self, path: Path) -> None:
        """Write what the window shows as PNG."""
        answer = self._call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(answer["data"]))

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command and return its result; events in between are skipped."""
        self._sent += 1
        message: dict[str, Any] = {"id": self._sent, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._ours_out, json.dumps(message).encode() + b"\0")
        while True:
            answer = json.loads(self._read())
            if answer.get("id") == self._sent:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return dict(answer["result"])

    def _read(self) -> bytes:
        """Return one message; they end with a zero byte."""
        message = bytearray()
        while (byte := self._answers.read(1)) != b"\0":
            if not byte:
                raise RuntimeError("the browser ended early")
            message += byte
        return bytes(message)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process that was started in its own session, with its children."""
    for stop in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, stop)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                continue


def _high_pipe() -> tuple[int, int]:
    """Return a pipe whose ends do not collide with the numbers that Chromium expects."""
    ends = os.pipe()
    high = tuple(fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 10) for number in ends)
    for number in ends:
        os.close(number)
    return high[0], high[1]
