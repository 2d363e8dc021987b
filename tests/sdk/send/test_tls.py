"""A gateway that cannot prove who it is gets nothing: neither the key nor a request."""

from __future__ import annotations

import contextlib
import datetime
import json
import socket
import ssl
import threading
from pathlib import Path

import pytest
import trustme

import flux_images as flux
from tests.sdk.answering import PNG, inline
from tests.sdk.conftest import KEY, Buy
from tests.sdk.raw_server import answer, raw_server
from tests.sdk.rows import middleware
from tests.sdk.test_rows import everything

AUTHORITY = trustme.CA()
PAST = datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC)


def _server(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


TRUSTED = _server(AUTHORITY.issue_cert("127.0.0.1"))
UNTRUSTED: dict[str, tuple[ssl.SSLContext, str]] = {
    "signed by nobody known": (_server(trustme.CA().issue_cert("127.0.0.1")), "local issuer"),
    "for another host": (_server(AUTHORITY.issue_cert("other.example")), "(not valid for|mismatch)"),
    "expired": (_server(AUTHORITY.issue_cert("127.0.0.1", not_before=PAST, not_after=PAST)), "expired"),
}


@pytest.fixture(autouse=True)
def _trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(file)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))


def test_a_certificate_of_a_known_authority_is_trusted(buy: Buy) -> None:
    """The authority is the one that SSL_CERT_FILE names."""
    with raw_server(inline(PNG), tls=TRUSTED) as server:
        assert buy(server.url)[1] == [PNG]
    assert server.posts[0].header("authorization") == f"Bearer {KEY}"


@pytest.mark.parametrize("case", UNTRUSTED)
def test_a_certificate_that_does_not_verify_gets_nothing(case: str, buy: Buy) -> None:
    """The error says why, and what to do for an authority of one's own. Nothing was billed."""
    context, says = UNTRUSTED[case]
    with (
        raw_server(inline(PNG), tls=context) as server,
        pytest.raises(flux.APIConnectionError, match=f"127.0.0.1 does not verify: .*{says}.*SSL_CERT_FILE") as caught,
    ):
        buy(server.url)
    assert server.requests == []
    assert not caught.value.may_have_been_billed
    assert KEY not in "".join(everything(caught.value))


@pytest.mark.parametrize("case", UNTRUSTED)
def test_a_picture_comes_from_nobody_else_either(case: str, buy: Buy) -> None:
    """It is not fetched, and the error says why."""
    with raw_server(tls=UNTRUSTED[case][0]) as pictures, raw_server() as server:
        server.reply = [answer(200, json.dumps({"data": [{"url": f"{pictures.url}/a.png"}]}).encode())]
        with pytest.raises(flux.ImageDownloadError, match="does not verify"):
            buy(server.url)
    assert pictures.requests == []


def test_a_port_without_tls_is_said_to_be_one(buy: Buy) -> None:
    """It is another mistake than a certificate."""

    def refuse() -> None:
        with contextlib.suppress(OSError):  # the listener closes
            while True:
                with listener.accept()[0] as connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=refuse)
        thread.start()
        with pytest.raises(flux.APIConnectionError, match=r"127\.0\.0\.1 does not speak TLS at this port") as caught:
            buy(f"https://127.0.0.1:{listener.getsockname()[1]}")
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert not caught.value.may_have_been_billed


def test_a_port_that_speaks_tls_is_said_to_do_so(buy: Buy) -> None:
    """Where the address says http, the handshake's alarm comes in place of an answer. Nothing was billed."""
    says = "speaks https at this port, and base_url says http"
    with (
        raw_server([b"\x15\x03\x03\x00\x02\x02\x46"]) as server,
        pytest.raises(flux.APIConnectionError, match=says) as caught,
    ):
        buy(server.url)
    assert not caught.value.may_have_been_billed
    assert server.connections == 1


def test_a_handshake_that_never_ends_cost_nothing(buy: Buy) -> None:
    """Whatever cuts it short: no byte of the request left."""
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(flux.APIConnectionError) as caught:
        buy(f"https://127.0.0.1:{silent.getsockname()[1]}", options={"timeout": 0.3, "max_retries": 0})
    assert not caught.value.may_have_been_billed


def test_a_proxy_that_hangs_up_instead_of_opening_a_tunnel_cost_nothing(
    buy: Buy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request never left for it."""
    with raw_server([]) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(flux.APIConnectionError) as caught:
            buy("https://gateway.example", options={"max_retries": 0})
    assert {it.method for it in proxy.requests} == {"CONNECT"}
    assert not caught.value.may_have_been_billed


def test_a_tunnel_shows_the_proxy_nothing(buy: Buy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the key to the proxy, nor the proxy's password to the gateway."""

    def relay(connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as gateway:
            back = threading.Thread(target=_pour, args=(gateway, connection))
            back.start()
            _pour(connection, gateway, seen)
            back.join()

    seen: list[bytes] = []
    context = _server(AUTHORITY.issue_cert("gateway.example"))
    with (
        raw_server(middleware(401, "through the tunnel"), tls=context) as server,
        raw_server([b"HTTP/1.1 200 OK\r\n\r\n", relay]) as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//user:s3cret@"))
        with pytest.raises(flux.AuthenticationError, match="through the tunnel"):
            buy("https://gateway.example")
    assert [it.method for it in proxy.requests] == ["CONNECT"]
    assert proxy.requests[0].header("proxy-authorization") is not None
    assert proxy.requests[0].header("authorization") is None
    assert KEY.encode() not in b"".join(seen)
    assert server.posts[0].header("authorization") == f"Bearer {KEY}"
    assert server.posts[0].header("proxy-authorization") is None


def _pour(source: socket.socket, into: socket.socket, seen: list[bytes] | None = None) -> None:
    try:
        while data := source.recv(65536):
            if seen is not None:
                seen.append(data)
            into.sendall(data)
        into.shutdown(socket.SHUT_WR)
    except OSError:
        pass
