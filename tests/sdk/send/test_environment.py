"""What the environment says of proxies and certificates, to each of the ways to send."""

from __future__ import annotations

import logging
import threading
import traceback
from pathlib import Path
from typing import Any

import httpx
import pytest

import flux_images as flux
from flux_images import AsyncFluxImages, FluxImages
from flux_images._send.environment import proxy_for, read_certificates
from tests.sdk.conftest import KEY, Buy
from tests.sdk.raw_server import answer, raw_server
from tests.sdk.rows import middleware
from tests.sdk.test_rows import everything

PASSWORD = "pr0xy-s3cret"
CREDENTIALS = f"user:{PASSWORD}@"
CLIENTS: dict[str, Any] = {
    "sync": FluxImages,
    "async": AsyncFluxImages,
    "fast": lambda *arguments, **options: AsyncFluxImages(*arguments, fast=True, **options),
}
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)


@pytest.mark.parametrize(
    ("variables", "url", "proxy"),
    [
        ({}, "http://gateway.example", None),
        ({"HTTP_PROXY": "http://p.example:1"}, "http://gateway.example", "http://p.example:1"),
        ({"http_proxy": "p.example:1"}, "http://gateway.example", "http://p.example:1"),
        ({"HTTP_PROXY": "http://p.example:1"}, "https://gateway.example", None),
        ({"HTTPS_PROXY": "http://p.example:1"}, "https://gateway.example", "http://p.example:1"),
        ({"ALL_PROXY": "https://p.example"}, "https://gateway.example", "https://p.example"),
        ({"ALL_PROXY": "http://a.example", "https_proxy": "http://b.example"}, "https://a.a", "http://b.example"),
        ({"HTTP_PROXY": ""}, "http://gateway.example", None),
    ],
)
def test_the_environment_names_the_proxy(
    variables: dict[str, str], url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the address's scheme, or for all."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = proxy_for(httpx.URL(url))
    assert (found and str(found.url)) == proxy


@pytest.mark.parametrize(
    ("excepted", "url", "direct"),
    [
        ("gateway.example", "https://gateway.example", True),
        ("gateway.example", "https://a.gateway.example", True),
        (".gateway.example", "https://a.gateway.example", True),
        ("gateway.example", "https://agateway.example", False),
        ("other.example, GATEWAY.example", "https://gateway.example", True),
        ("gateway.example:8443", "https://gateway.example:8443", True),
        ("gateway.example:443", "https://gateway.example", True),
        ("gateway.example:8443", "https://gateway.example", False),
        ("192.0.2.7", "http://192.0.2.7:3000", True),
        ("2001:db8::7", "http://[2001:db8::7]:3000", True),
        ("192.0.2.0/24", "http://192.0.2.7:3000", False),
        ("*", "https://gateway.example", True),
    ],
)
def test_no_proxy_lists_what_is_reached_directly(
    excepted: str, url: str, direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the standard library reads it: no ranges of addresses."""
    monkeypatch.setenv("ALL_PROXY", "http://proxy.example")
    monkeypatch.setenv("NO_PROXY", excepted)
    assert (proxy_for(httpx.URL(url)) is None) is direct


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("ALL_PROXY", f"socks5://{CREDENTIALS}proxy.example:1080", "a socks proxy needs an extra"),
        ("ALL_PROXY", f"socks4://{CREDENTIALS}proxy.example", "not the address"),
        ("HTTPS_PROXY", f"ftp://{CREDENTIALS}proxy.example", "not the address"),
        ("HTTPS_PROXY", f"http://{CREDENTIALS}proxy.example:port", "not the address"),
        ("HTTPS_PROXY", f"http://proxy.example:{PASSWORD}", "not the address"),
        ("HTTPS_PROXY", f"http://{CREDENTIALS}proxy.example:99999", "not the address"),
        ("HTTPS_PROXY", f"{CREDENTIALS}proxy.example:0", "not the address"),
        ("HTTPS_PROXY", f"http://{CREDENTIALS}", "not the address"),
        ("HTTPS_PROXY", f"http://{CREDENTIALS}[::1", "not the address"),
        ("HTTP_PROXY", f"http://{CREDENTIALS}:3128", "not the address"),  # which pictures may need
    ],
)
def test_a_proxy_that_cannot_be_used_is_refused_by_name(
    kind: str, variable: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a client is made, and without its password; a client for this machine does not need it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv(variable, value)
    with pytest.raises(flux.ConfigurationError, match=f"^{variable}: {says}") as caught:
        CLIENTS[kind](KEY, base_url="https://gateway.example")
    assert PASSWORD not in "".join(everything(caught.value))
    CLIENTS[kind](KEY, base_url="http://127.0.0.1:1")


def test_the_fast_transport_cannot_use_socks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where its extra is installed."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    monkeypatch.setenv("ALL_PROXY", f"socks5://{CREDENTIALS}proxy.example")
    FluxImages(KEY, base_url="https://gateway.example").close()
    with pytest.raises(flux.ConfigurationError, match=r"fast=True: .* http or https"):
        AsyncFluxImages(KEY, base_url="https://gateway.example", fast=True)


def test_a_proxy_gets_the_call_and_its_own_credentials(buy: Buy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain http leaves it no choice but to see the key."""
    with raw_server(middleware(401, "proxied")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("//", f"//{CREDENTIALS}"))
        with pytest.raises(flux.AuthenticationError, match="proxied"):
            buy("http://gateway.example", options={"allow_insecure": True})
    (post,) = proxy.posts
    assert post.target == "http://gateway.example/v1/images/generations"
    assert post.header("proxy-authorization") == "Basic dXNlcjpwcjB4eS1zM2NyZXQ="
    assert post.header("authorization") == f"Bearer {KEY}"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_reached_directly(host: str, buy: Buy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy elsewhere would get the key in clear, and reach another machine."""
    with raw_server(middleware(401, "proxied")) as proxy, raw_server(middleware(403, "direct")) as server:
        for variable in VARIABLES[:3]:
            monkeypatch.setenv(variable, proxy.url)
        with pytest.raises(flux.PermissionDeniedError, match="direct"):
            buy(server.url.replace("127.0.0.1", host))
    assert proxy.connections == 0


def test_a_proxy_that_refuses_costs_nothing(buy: Buy, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, it never sees the key, and its password is nowhere."""
    with raw_server([answer(407, b"")]) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", f"//{CREDENTIALS}"))
        with pytest.raises(flux.APIConnectionError, match=r"by way of the proxy 127\.0\.0\.1: 407 Reason") as caught:
            buy("https://gateway.example")
    assert not caught.value.may_have_been_billed
    assert PASSWORD not in "".join(everything(caught.value))
    assert {(it.method, it.header("authorization")) for it in proxy.requests} == {("CONNECT", None)}
    assert {it.header("proxy-authorization") for it in proxy.requests} == {"Basic dXNlcjpwcjB4eS1zM2NyZXQ="}


def test_a_proxy_that_is_not_there_is_named(buy: Buy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway may well be up."""
    with raw_server() as proxy:
        pass
    monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", f"//{CREDENTIALS}"))
    with pytest.raises(flux.APIConnectionError, match=r"by way of the proxy 127\.0\.0\.1: ") as caught:
        buy("https://gateway.example", options={"max_retries": 0})
    assert not caught.value.may_have_been_billed
    assert PASSWORD not in "".join(everything(caught.value))


def test_the_certificates_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the first client that needs them; again where the environment names others; not for plain http."""
    read_certificates.cache_clear()
    FluxImages(KEY, base_url="http://127.0.0.1:1").close()
    assert read_certificates.cache_info().misses == 0
    for _ in range(3):
        FluxImages(KEY, base_url="https://gateway.example").close()
    assert read_certificates.cache_info().misses == 1
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    FluxImages(KEY, base_url="https://gateway.example").close()
    assert read_certificates.cache_info().misses == 2
    read_certificates.cache_clear()


def test_a_client_needs_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none can be made, as when Python ends, the certificates are read all the same."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    read_certificates.cache_clear()
    monkeypatch.setattr(threading.Thread, "start", refuse)
    FluxImages(KEY, base_url="https://gateway.example").close()
    assert read_certificates.cache_info().currsize == 1


@pytest.mark.parametrize("make", [FluxImages, AsyncFluxImages])
def test_certificates_that_cannot_be_read_are_said_to_be(
    make: type[FluxImages | AsyncFluxImages], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """To the caller; the thread that reads them ahead says nothing."""
    read_certificates.cache_clear()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(flux.ConfigurationError, match=r"certificates cannot be read; look at SSL_CERT_FILE"):
        make(KEY, base_url="https://gateway.example")


TOLD: list[tuple[str, int, str]] = [  # what the proxy does; what is asked through it
    ("refuses", 407, "https://gateway.example"),
    ("refuses the key", 401, "http://gateway.example"),
    ("fails", 502, "http://gateway.example"),
]


@pytest.mark.parametrize(("name", "status", "address"), TOLD)
def test_neither_key_nor_password_is_told_anywhere(
    name: str, status: int, address: str, buy: Buy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in messages, in tracebacks with locals, in pickles, nor in anybody's log at its most talkative."""
    caplog.set_level(logging.DEBUG)
    with raw_server(middleware(status, "no")) as proxy:
        for variable in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(variable, proxy.url.replace("//", f"//{CREDENTIALS}"))
        with pytest.raises(flux.FluxImagesError) as caught:
            buy(address, options={"allow_insecure": True, "max_retries": 0})
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    locals_ = [line for line in shown.format() if "monkeypatch" not in line]
    told = "".join([*everything(caught.value), *locals_, caplog.text])
    assert PASSWORD not in told
    assert KEY not in told


def test_a_fetch_by_way_of_a_proxy_tells_no_secret(
    buy: Buy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The gateway is reached directly, the picture is not: neither key, password nor signature is shown or sent on."""
    caplog.set_level(logging.DEBUG)
    signature = "s1gned-0123456789"
    picture = f"https://pictures.example/a.png?sig={signature}"
    body = f'{{"data":[{{"url":"{picture}"}}]}}'.encode()
    with raw_server([answer(407, b"")]) as proxy, raw_server([answer(200, body)]) as server:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", f"//{CREDENTIALS}"))
        with pytest.raises(flux.ImageDownloadError, match="407") as caught:
            buy(server.url, options={"max_retries": 0})
    assert caught.value.may_have_been_billed
    assert {(it.method, it.header("authorization")) for it in proxy.requests} == {("CONNECT", None)}
    locals_ = traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    shown = [line for line in locals_ if "monkeypatch" not in line]
    told = "".join([*everything(caught.value), *shown, caplog.text])
    assert KEY not in told
    assert PASSWORD not in told
    plain = "".join([str(caught.value), *traceback.format_exception(caught.value), caplog.text])
    assert signature not in plain  # the answer itself, which the error holds, has it: it is how the picture is fetched
