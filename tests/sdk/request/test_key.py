"""The key: taken, checked, and shown nowhere."""

from __future__ import annotations

import base64
import pickle
import traceback
from typing import Any
from urllib.parse import quote

import pytest

from flux_images import ConfigurationError, FluxImages
from flux_images._request.key import Key, find_key
from tests.sdk.conftest import KEY


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("", "there is no key"),
        (f"{KEY}\n", "white space"),
        (f" {KEY}", "white space"),
        (f"{KEY[:9]} {KEY[9:]}", "a space or a control character"),
        (f"{KEY[:9]}\n{KEY[9:]}", "a space or a control character"),
        (f"{KEY[:9]}\x7f{KEY[9:]}", "a space or a control character"),
        (f"{KEY}é", "not ASCII"),
        ("密钥" + KEY, "not ASCII"),
        ("{{YOUR_API_KEY}}", "a placeholder"),
        ("Bearer {{YOUR_API_KEY}}", "a placeholder"),
        ("****", "a placeholder"),
        ("<your key>", "a placeholder"),
        ("$FLUX_API_KEY", "a placeholder"),
        ("sk-xxxxxxxx", "a placeholder"),
        ("sk-...", "a placeholder"),
        ("YOUR_API_KEY", "a placeholder"),
    ],
)
@pytest.mark.parametrize("given", ["argument", "environment"])
def test_a_key_that_cannot_be_sent_is_refused_unseen(
    key: str, says: str, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says where the key came from and what is wrong, and does not hold it, locals of frames included."""
    if given == "environment":
        monkeypatch.setenv("FLUX_API_KEY", key)
    with pytest.raises(ConfigurationError, match=says) as caught:
        FluxImages(key if given == "argument" else None)
    assert str(caught.value).startswith("api_key" if given == "argument" else "FLUX_API_KEY")
    assert isinstance(caught.value, ValueError)
    assert not caught.value.may_have_been_billed
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    inside = [
        line for frame in shown.stack if "flux_images" in frame.filename for line in (frame.locals or {}).values()
    ]
    assert KEY[4:] not in "".join(inside) + str(caught.value)


@pytest.mark.parametrize("key", [b"sk-0123456789abcdef", 5, ["sk-0123456789abcdef"]])
def test_a_key_of_another_type_is_refused(key: Any) -> None:
    """In a sentence that does not hold it."""
    with pytest.raises(ConfigurationError, match=f"^api_key: expected the key as text, got {type(key).__name__}$"):
        FluxImages(key)


def test_no_key_says_where_to_put_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without argument and variable the message names both."""
    monkeypatch.delenv("FLUX_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match=r"pass api_key=\.\.\. or set FLUX_API_KEY"):
        FluxImages()


@pytest.mark.parametrize("prefix", ["Bearer ", "bearer ", "BEARER  "])
def test_a_leading_bearer_is_dropped_with_one_line(prefix: str, caplog: pytest.LogCaptureFixture) -> None:
    """People paste the whole header: the scheme isn't sent twice."""
    assert find_key(prefix + KEY).authorization() == f"Bearer {KEY}"
    assert caplog.messages == ["api_key starts with 'Bearer ', which is added when sending: leave it out"]


def test_the_argument_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An explicit key is the one that is sent; the environment serves where there is none."""
    monkeypatch.setenv("FLUX_API_KEY", "sk-from-environment")
    assert find_key(KEY).authorization() == f"Bearer {KEY}"
    assert find_key(None).authorization() == "Bearer sk-from-environment"
    with pytest.raises(ConfigurationError):
        find_key("")


def test_a_client_never_shows_its_key() -> None:
    """Neither repr nor vars, at any depth, nor a pickle."""
    with FluxImages(KEY) as flux:
        assert KEY not in _deep(flux, 6)
        assert KEY not in _deep(flux.api, 6)
        for thing in (flux, find_key(KEY)):
            with pytest.raises(TypeError, match="cannot be pickled"):
                pickle.dumps(thing)


def _deep(thing: object, depth: int) -> str:
    seen = [repr(thing)]
    if depth:
        parts = {**getattr(thing, "__dict__", {})}
        parts |= {name: getattr(thing, name, None) for name in getattr(type(thing), "__slots__", ())}
        seen += [_deep(part, depth - 1) for part in parts.values()]
    return "".join(seen)


@pytest.mark.parametrize("offset", range(6))
def test_the_key_is_found_in_disguise(offset: int) -> None:
    """Plain, URL-encoded or in base64 behind any prefix, it is masked."""
    key = Key("sk-a+b/c=d&0123456789")
    secret = "sk-a+b/c=d&0123456789"
    around = b"x" * offset
    assert key.redact(f"no {secret}.") == "no ***."
    assert "***" in key.redact(f"?key={quote(secret, safe='')}")
    assert secret not in key.redact(f"a {secret} b {secret}")
    assert key.redact(f"the token {secret[3:]} is bad") == "the token *** is bad"
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        masked = key.redact(encode(around + secret.encode() + b"tail").decode())
        assert "***" in masked
        assert b"b/c=d&0123" not in base64.b64decode(masked.replace("***", "AAAA") + "==")
    assert key.redact("nothing here") == "nothing here"
