"""A call ends when its total time is up, whatever drips: each byte comes in time, so nothing else would end it."""

from __future__ import annotations

import json
import socket
import threading

import pytest

import flux_images as flux
from flux_images import FluxImages
from tests.sdk.conftest import KEY, Buy
from tests.sdk.raw_server import Reply, answer, raw_server
from tests.sdk.send.conftest import UNFINISHED

HEAD = b"HTTP/1.1 200 OK\r\n"
EVERY = 0.05
"""Seconds from one byte to the next."""
DRIPS = 400
"""Bytes after which the peer gives up: a call that waited for all of them was not bounded."""


class Drip:
    """Sends byte after byte, and notes whether the other side hung up."""

    def __init__(self) -> None:
        self.saw_the_end = threading.Event()

    def __call__(self, connection: socket.socket) -> None:
        pause = threading.Event()
        try:
            for _ in range(DRIPS):
                connection.sendall(b"x")
                pause.wait(EVERY)
        except OSError:
            self.saw_the_end.set()


@pytest.mark.parametrize("before", [HEAD + b"X: ", HEAD + b"Content-Length: 999\r\n\r\n"], ids=["head", "body"])
def test_an_answer_that_drips_does_not_hold_a_call(before: bytes, buy: Buy) -> None:
    """It may have been billed, and the connection is closed."""
    drip = Drip()
    with raw_server([before, drip]) as server:
        with pytest.raises(flux.APITimeoutError) as caught:
            buy(server.url, options={"timeout": 0.4})
        assert caught.value.may_have_been_billed
        assert drip.saw_the_end.wait(DRIPS * EVERY)
        assert len(server.posts) == 1


@UNFINISHED
def test_a_peer_that_sips_the_request_does_not_hold_a_call(buy: Buy) -> None:
    """However long the request; what it had not taken never comes."""
    size = 16_000_000
    taken: list[int] = []
    over, saw_the_end = threading.Event(), threading.Event()

    def sip() -> None:
        with listener.accept()[0] as connection:
            for _ in range(DRIPS):
                taken.append(len(connection.recv(2**14)))
                if over.wait(EVERY):
                    break
            connection.settimeout(DRIPS * EVERY)
            while more := connection.recv(2**20):
                taken.append(len(more))
            saw_the_end.set()

    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = threading.Thread(target=sip)
        thread.start()
        try:
            with pytest.raises(flux.APITimeoutError) as caught:
                buy(
                    f"http://127.0.0.1:{listener.getsockname()[1]}",
                    options={"timeout": 0.4},
                    extra_body={"image_prompt": "x" * size},
                )
        finally:
            over.set()
            thread.join()
    assert caught.value.may_have_been_billed
    assert saw_the_end.is_set()
    assert sum(taken) < size


@pytest.mark.parametrize("through_proxy", [False, True], ids=["direct", "through a proxy"])
def test_a_picture_that_drips_does_not_hold_its_fetching(through_proxy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Synchronously, where nothing can be cancelled; by way of a proxy too."""
    drip = Drip()
    reply: Reply = [HEAD + b"X: ", drip]
    with raw_server() as server:
        base_url = "http://gateway.example" if through_proxy else server.url
        if through_proxy:
            monkeypatch.setenv("HTTP_PROXY", server.url)
        server.reply = [answer(200, json.dumps({"data": [{"url": f"{base_url}/a.png"}]}).encode())]
        server.pictures["http://gateway.example/a.png"] = server.pictures["/a.png"] = reply
        with (
            FluxImages(KEY, base_url=base_url, allow_insecure=True, timeout=0.4) as client,
            pytest.raises(flux.ImageDownloadError) as caught,
        ):
            client.generate("a medal").image.read()
        assert caught.value.may_have_been_billed
        assert drip.saw_the_end.wait(DRIPS * EVERY)
