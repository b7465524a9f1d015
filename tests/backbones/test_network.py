import socket

import pytest

from cilsim.backbones import network


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setattr(network, "getproxies", dict)


def test_a_host_that_takes_connections_is_reachable():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert network.reachable(f"https://127.0.0.1:{server.getsockname()[1]}/file")


def test_a_host_that_refuses_is_not():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert not network.reachable(f"https://127.0.0.1:{port}/file")


def test_behind_a_proxy_nothing_is_tried(monkeypatch):
    monkeypatch.setattr(network, "getproxies", lambda: {"https": "http://proxy:3128"})
    assert network.reachable("https://127.0.0.1:1/file")
