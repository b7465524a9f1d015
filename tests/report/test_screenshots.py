import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "docs" / "screenshots.py"


def take(*arguments: object, path: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env={"PATH": path}, check=False)


def test_without_a_browser_one_line_says_how_to_get_one(tmp_path):
    done = take(tmp_path, path=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: no headless browser: none of chromium, chromium-browser, google-chrome is on the "
        "PATH; on Debian: apt-get update && apt-get install -y chromium\n"
    )


def test_a_folder_without_event_files_is_refused(tmp_path):
    browser = tmp_path / "chromium"
    browser.touch(mode=0o755)
    done = take(tmp_path / "runs", path=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: {tmp_path / 'runs'}: no TensorBoard event file; run a scenario first\n"
    )
