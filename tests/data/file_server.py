"""A web server on this machine that has files, understands ranges and can be told to misbehave."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

NO_RANGES = "no ranges"
OTHER_RANGE = "other range"
REDIRECT = "redirect"
SILENCE = "silence"


@dataclass
class FileServer:
    """What the server has and was asked.

    Attributes:
        address: begins every address, with a slash at its end.
        files: content by name.
        misbehaviour: of the next answers, one each: a status, a number of bytes after which the
            connection is closed (negative), or one of the words above.
        asked: (name, value of the header `Range`) of every request.
    """

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    misbehaviour: list[int | str] = field(default_factory=list)
    asked: list[tuple[str, str | None]] = field(default_factory=list)


class Server(ThreadingHTTPServer):
    """Says nothing about clients that leave in the middle, as the tests' do."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


@contextmanager
def serving() -> Iterator[FileServer]:
    state = FileServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self, state)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{server.server_port}/"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(request: BaseHTTPRequestHandler, state: FileServer) -> None:
    name, asked = request.path.removeprefix("/"), request.headers.get("Range")
    state.asked.append((name, asked))
    fault = state.misbehaviour.pop(0) if state.misbehaviour else 0
    if fault == SILENCE:
        time.sleep(0.5)
    content = state.files.get(name)
    if content is None or (isinstance(fault, int) and fault > 0):
        request.send_error(404 if content is None else int(fault))
        return
    if fault == REDIRECT:
        request.send_response(302)
        request.send_header("Location", f"/{name}")
        request.end_headers()
        return
    begin = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and fault != NO_RANGES else None
    if begin is not None and begin >= len(content):
        request.send_error(416)
        return
    send(request, content, begin, fault)


def send(
    request: BaseHTTPRequestHandler, content: bytes, begin: int | None, fault: int | str
) -> None:
    request.send_response(200 if begin is None else 206)
    if begin is not None:
        shown = 0 if fault == OTHER_RANGE else begin
        request.send_header("Content-Range", f"bytes {shown}-{len(content) - 1}/{len(content)}")
    rest = content[begin or 0 :]
    request.send_header("Content-Length", str(len(rest)))
    request.end_headers()
    request.wfile.write(rest[:-fault] if isinstance(fault, int) and fault else rest)
