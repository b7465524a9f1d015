"""Take the pictures that the documentation shows, of TensorBoard and of a report, from real runs.

    python docs/screenshots.py runs --curves 'teen/seed-0' --runs '(teen|nmc)/seed-0'

TensorBoard is started on the loopback address and looked at with a headless Chromium, which is
found on the PATH. Both are ended when the pictures are there; nothing else is touched.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

from browser import Browser, end

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
HOST = "127.0.0.1"
COMPARED = "^eval/(A_all|A_base|A_novel|A_old|A_new|A_hm|forgetting)$"

PREPARE = """
// On by default, and it crops the first point of a curve; no address can switch it off.
localStorage.setItem('_ignoreYOutliers', 'false');
// All elements that match, those inside shadow roots too.
window.all = (selector, root = document) => [
  ...root.querySelectorAll(selector),
  ...[...root.querySelectorAll('*')].flatMap(e => e.shadowRoot ? all(selector, e.shadowRoot) : []),
];
"""


@dataclass(frozen=True)
class Picture:
    """One screenshot: what to open, when it is ready, what to click first."""

    name: str
    page: str
    ready: str
    click: str = ""
    width: int = 1400
    height: int = 900


def main() -> int:
    """Take all pictures and return the exit code."""
    options = arguments()
    program = find_browser()
    if program is None:
        return complain(
            f"no headless browser: none of {', '.join(PROGRAMS)} is on the PATH; "
            "on Debian: apt-get update && apt-get install -y chromium"
        )
    if not any(options.runs_folder.rglob("events.out.tfevents.*")):
        return complain(f"{options.runs_folder}: no TensorBoard event file; run a scenario first")
    options.into.mkdir(parents=True, exist_ok=True)
    with tensorboard(options.runs_folder) as address, Browser(program) as browser:
        wait_until_read(address, options.wait)
        browser.before_every_page(PREPARE)
        for picture in pictures(options.curves, options.runs):
            path = options.into / f"{picture.name}.png"
            take(browser, address, picture, path)
            sys.stdout.write(f"{path}\n")
        for report in sorted(options.runs_folder.rglob("report.html"))[:1]:
            path = options.into / "report.png"
            take_report(browser, report, path)
            sys.stdout.write(f"{path}\n")
    return 0


def arguments() -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs_folder", type=Path, help="the folder that TensorBoard is to show")
    parser.add_argument("--into", type=Path, default=Path("docs/images"), help="where to write")
    parser.add_argument("--curves", default="seed-0", help="expression: the run with the curves")
    parser.add_argument("--runs", default="seed-0", help="expression: the runs to compare")
    parser.add_argument("--wait", type=float, default=60.0, help="seconds to wait for the server")
    return parser.parse_args()


def pictures(curves: str, runs: str) -> list[Picture]:
    """Return what to take.

    Smoothing is off: TensorBoard's default of 0.6 bends curves of few points.
    """
    one, several = quote(curves), quote(runs)
    expand = "all('[icon=\"fullscreen\"]')[0].click()"
    return [
        Picture(
            "tensorboard-forgetting-curves",
            f"#custom_scalars&_smoothingWeight=0&regexInput={one}",
            "all('vz-line-chart2').length > 2",
            expand,
        ),
        Picture(
            "tensorboard-scalars",
            f"#scalars&_smoothingWeight=0&regexInput={several}&tagFilter={quote(COMPARED)}",
            "all('vz-line-chart2').length > 0",
            width=1550,
            height=1020,
        ),
        Picture(
            "tensorboard-images",
            f"#images&regexInput={one}",
            "all('tf-image-loader').length > 0",
            "all('paper-checkbox')[0].click()",  # actual size
            width=1250,
            height=1400,
        ),
    ]


def take(browser: Browser, address: str, picture: Picture, path: Path) -> None:
    """Open the page, wait until it is drawn, and write the picture."""
    browser.open(f"{address}/{picture.page}", picture.width, picture.height)
    browser.wait_for(picture.ready)
    if picture.click:
        browser.evaluate(picture.click)
    time.sleep(3.0)  # charts are drawn, then animated
    browser.save_picture(path)


def take_report(browser: Browser, report: Path, path: Path) -> None:
    """Open a report as a file, and write the picture of its tables and curves."""
    browser.open(report.resolve().as_uri(), 1200, 1150)
    browser.wait_for("document.documentElement.dataset.ready === 'yes'")
    browser.save_picture(path)


def find_browser() -> str | None:
    """Return the path of the first browser that is installed."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


@contextmanager
def tensorboard(folder: Path) -> Iterator[str]:
    """Serve the folder on a free loopback port and yield the address."""
    port = free_port()
    # The page shows the folder as it is named here: without the path of this machine.
    place = folder.resolve()
    command = [sys.executable, "-m", "tensorboard.main", f"--logdir={place.name}"]
    command += [f"--host={HOST}", f"--port={port}", "--samples_per_plugin=images=100"]
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            command, cwd=place.parent, stdout=log, stderr=log, start_new_session=True
        )
        try:
            yield f"http://{HOST}:{port}"
        finally:
            end(server)


def wait_until_read(address: str, limit: float) -> None:
    """Return when the server lists the same runs and tags twice in a row, at least one."""
    before, deadline = None, time.monotonic() + limit
    while time.monotonic() < deadline:
        now = listed(address)
        if now and now == before:
            return
        before = now
        time.sleep(1.0)
    raise TimeoutError(f"TensorBoard at {address} showed no run within {limit:.0f} s")


def listed(address: str) -> dict[str, object]:
    """Return the tags of each run, or nothing while the server is starting."""
    try:
        with urlopen(f"{address}/data/plugin/scalars/tags", timeout=10) as answer:
            return dict(json.load(answer))
    except (URLError, ConnectionError, TimeoutError):
        return {}


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def complain(message: str) -> int:
    """Write the message to stderr and return the exit code of a mistake by the user."""
    sys.stderr.write(f"error: {message}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
