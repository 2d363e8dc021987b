"""The way of one request through the mock, as ARCHITECTURE.md tells it."""

from __future__ import annotations

from contextlib import closing

from flux_images_mock import MockServer
from tests.mock.wire import connect, post
from tests.ways import followed, told


def test_a_request_goes_the_way_that_is_told() -> None:
    """A warm request over a socket enters the files that are named, in their order, and no others."""
    steps = told("The way of one request through the mock")
    assert 0 < len(steps) <= 12
    with (
        followed("mock_server/flux_images_mock") as trail,
        MockServer() as mock,
        closing(connect(mock.url)) as connection,
    ):
        for _ in range(3):
            trail.entered.clear()
            connection.sendall(post(b'{"model":"flux","prompt":"a lighthouse","aspect_ratio":"1:1"}'))
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        entered = dict(trail.entered)
    assert list(entered) == list(steps)
    assert [file for file, function in steps.items() if function not in entered[file]] == []
