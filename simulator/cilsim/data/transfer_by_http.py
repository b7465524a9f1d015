"""One request over HTTP for the rest of a file."""

from __future__ import annotations

import ipaddress
import re
import shutil
from collections.abc import Callable, Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

Progress = Callable[[int, int | None], None]
"""Told the bytes that are there, and how many there will be, or None if that is not known."""

_CHUNK = 1 << 18
_PARTIAL = 206
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class BadConnection(Exception):
    """The server cannot be reached, or what it sends ends too early."""


class DiskTooSmall(Exception):
    """The file does not fit on the disk."""


def transfer(address: str, part: Path, progress: Progress, silence: float) -> None:
    """Append what `part` does not have yet; it is written anew if the server sends everything.

    Args:
        address: of the file, by HTTP or HTTPS.
        part: what has arrived so far; made if it is missing.
        progress: told how it goes.
        silence: seconds without a byte after which the connection counts as broken.

    Raises:
        HTTPError: the server refuses.
        BadConnection: the connection fails or breaks off; what has arrived is kept.
        DiskTooSmall: there is no space for the rest.
        OSError: `part` cannot be written.
    """
    with part.open("ab") as file:
        there = file.tell()
    with _opened(address, there, silence) as response:
        begin, total = _extent(response, there)
        _require_space(part, begin, total)
        with part.open("r+b") as file:
            file.truncate(begin)
            file.seek(begin)
            for chunk in _chunks(response):
                file.write(chunk)
                progress(file.tell(), total)
            done = file.tell()
    if total is not None and done != total:
        raise BadConnection(f"it ends after {done} of {total} bytes")


def _opened(address: str, there: int, silence: float) -> HTTPResponse:
    # the content must arrive as it is stored, or its length says nothing
    headers = {"User-Agent": "cilsim", "Accept-Encoding": "identity"}
    if there:
        headers["Range"] = f"bytes={there}-"
    opener = build_opener(ProxyHandler({})) if _is_here(address) else build_opener()
    try:
        response: HTTPResponse = opener.open(Request(address, headers=headers), timeout=silence)
    except HTTPError:
        raise
    except (OSError, HTTPException) as error:  # URLError too, with what it is about as its reason
        raise BadConnection(f"no connection ({_plain(error)})") from error
    return response


def _is_here(address: str) -> bool:
    """Return whether an address is on this machine, which no proxy can reach."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _extent(response: HTTPResponse, there: int) -> tuple[int, int | None]:
    """Return where the content begins and how long the whole file is, None if it is not said."""
    if response.status == _PARTIAL:
        found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if found is None or int(found[1]) != there:
            raise BadConnection("the server sends another part than was asked for")
        return there, None if found[2] == "*" else int(found[2])
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else None


def _require_space(part: Path, begin: int, total: int | None) -> None:
    free = shutil.disk_usage(part.parent).free + part.stat().st_size - begin
    if total is not None and total - begin > free:
        raise DiskTooSmall(f"has {free} bytes free and {total - begin} are to come")


def _chunks(response: HTTPResponse) -> Iterator[bytes]:
    while True:
        try:
            chunk = response.read(_CHUNK)
        except (OSError, HTTPException) as error:
            raise BadConnection(f"it breaks off ({_plain(error)})") from error
        if not chunk:
            return
        yield chunk


def _plain(error: Exception) -> str:
    """Return what an error of the network is about, without numbers of the system."""
    reason = getattr(error, "reason", error)
    said = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return " ".join(str(said).split())
