"""Whether a server can be reached, asked before libraries that retry for a minute."""

from __future__ import annotations

import socket
from urllib.parse import urlparse
from urllib.request import getproxies

SECONDS = 3.0


def reachable(url: str) -> bool:
    """Return whether the host of an address takes connections, or a proxy stands before it."""
    address = urlparse(url)
    if address.scheme in getproxies():
        return True
    try:
        with socket.create_connection((address.hostname or "", address.port or 443), SECONDS):
            return True
    except OSError:
        return False
