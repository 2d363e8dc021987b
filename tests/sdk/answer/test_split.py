"""Pictures out of streamed JSON: what json.loads and base64 make of the whole is the oracle."""

from __future__ import annotations

import base64
import binascii
import itertools
import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flux_images._answer import split as splitting
from flux_images._answer.repair import completed
from flux_images._answer.split import Base64, PictureSplitter, SplitError, decoded
from flux_images._picture import store

SHORT = 8
"""From how many characters on a string is looked at in these tests."""


@pytest.fixture(autouse=True)
def _short_strings_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "LONG", SHORT)


def read(chunks: list[bytes]) -> tuple[Any, dict[str, Base64]]:
    """The document with its placeholders, and the pictures behind them."""
    reader = PictureSplitter()
    for chunk in chunks:
        reader.feed(chunk)
    document, problem = reader.document()
    if problem:
        raise ValueError(problem)
    return document, reader.pictures


def cut(text: bytes, sizes: list[int]) -> list[bytes]:
    """The text in pieces of these sizes, over and over."""
    pieces: list[bytes] = []
    for size in itertools.cycle(sizes):
        if not text:
            return pieces
        pieces.append(text[:size])
        text = text[size:]
    return pieces


def escaped(text: str, every: int) -> str:
    """The same JSON, with some letters of its strings written as escapes."""

    def escape(match: re.Match[str]) -> str:
        inside = match[1]
        if "\\" in inside:
            return match[0]
        letters = [f"\\u{ord(c):04x}" if ord(c) < 0x10000 and i % every == 0 else c for i, c in enumerate(inside)]
        return '"' + "".join(letters).replace("/", "\\/") + '"'

    return re.sub(r'"((?:[^"\\]|\\.)*)"', escape, text)


def whole(text: str) -> bytes:
    """What a text of base64 says, in whichever alphabet and with or without padding."""
    usual = text.rpartition(",")[2].translate(str.maketrans("-_", "+/", " \t\r\n\f\v="))
    return base64.b64decode(usual + "=" * (-len(usual) % 4))


def same(found: Any, original: Any, pictures: dict[str, Base64]) -> bool:
    """Whether a document is the original but for what was taken out of it, and that is whole."""
    if isinstance(original, str):
        if found in pictures and found != original:
            taken = pictures[found]
            return taken.problem is not None or taken.kept.read() == whole(original)
        return bool(found == original)
    if isinstance(original, list):
        return len(found) == len(original) and all(map(lambda a, b: same(a, b, pictures), found, original))
    if isinstance(original, dict):
        pairs = zip(found.items(), original.items(), strict=True)
        return all(same(a, c, pictures) and same(b, d, pictures) for (a, b), (c, d) in pairs)
    return bool(found == original)


PICTURE = st.binary(min_size=1, max_size=200).map(lambda raw: base64.b64encode(raw).decode())
TEXT = st.text(max_size=12) | st.just("b64_json") | PICTURE | PICTURE.map(lambda text: "data:image/png;base64," + text)
DOCUMENT = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["data", "b64", "url", 'q"']), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(DOCUMENT, st.lists(st.integers(1, 40), min_size=1, max_size=4), st.sampled_from([0, 1, 3]), st.booleans())
@example({"data": [{"b64": "/+/+/+/+"}], "z": "\\"}, [1], 1, True)
def test_any_document_in_any_pieces(document: Any, sizes: list[int], every: int, spaced: bool) -> None:
    """White space, escapes, several pictures anywhere: as if it had been read whole."""
    text = json.dumps(document, indent=2 if spaced else None, ensure_ascii=False)
    text = escaped(text, every) if every else text
    found, pictures = read(cut(text.encode(errors="surrogatepass"), sizes))
    assert same(found, document, pictures)


@given(st.binary(max_size=60), st.lists(st.integers(1, 9), min_size=1, max_size=3))
def test_any_bytes_at_all(noise: bytes, sizes: list[int]) -> None:
    """What is not JSON is a ValueError, as it is for the JSON parser; nothing else ever."""
    try:
        expected = json.loads(noise.decode(), parse_constant=lambda _: None)
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011 -- of whatever kind
            read(cut(noise, sizes))
    else:
        found, pictures = read(cut(noise, sizes))
        assert pictures or found == expected


def strings(document: Any) -> set[str]:
    """All strings of a document."""
    if isinstance(document, str):
        return {document}
    if isinstance(document, list):
        return set().union(*map(strings, document))
    if isinstance(document, dict):
        return set().union(document.keys(), *map(strings, document.values()))
    return set()


@given(DOCUMENT, st.data())
def test_any_beginning_of_a_document(document: Any, data: st.DataObject) -> None:
    """It is closed behind its last whole value: JSON again, without half a string."""
    text = json.dumps(document)
    part = completed(text[: data.draw(st.integers(0, len(text)))])
    if part:
        assert strings(json.loads(part)) <= strings(document)
    if text[:1] in "[{":
        assert json.loads(completed(text)) == document


def test_what_is_nested_without_end_costs_nothing() -> None:
    """Neither the parser nor what mends it goes down for ever."""
    assert completed("[" * 100_000) == ""
    with pytest.raises(ValueError, match="JSON"):
        read([b"[" * 100_000])


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("QUJDQUJDQ", "cut short"),
        ("QUJDQUJD====QUJD", "after its end|not base64"),
        ("QQ==QUJDQUJD", "after its end|not base64"),
        ("QUJDQUJDQ===", "cut short|not base64"),
        ("QUJDQU=DQUJD", "not base64|after its end"),
    ],
)
def test_wrong_base64_is_said_to_be_wrong(text: str, says: str, size: int) -> None:
    """A wrong length, data after the padding, padding in the middle."""
    _, pictures = read(cut(b'{"x":"%s"}' % text.encode(), [size]))
    (taken,) = pictures.values()
    assert re.search(says, str(taken.problem))


@pytest.mark.parametrize(
    ("value", "raw"),
    [
        ("QUJDQUJD", b"ABCABC"),
        ("QUJDQUJDQQ==", b"ABCABCA"),
        ("QUJDQUJDQQ", b"ABCABCA"),
        ("QUJD\\nQUJD\\r\\n", b"ABCABC"),
        ("\\u0051UJDQUJD", b"ABCABC"),
        ("--__--__", binascii.a2b_base64("++//++//")),
        ("dat=datadat=", None),
    ],
)
@pytest.mark.parametrize("size", [8, 9, 1000])
def test_what_is_base64_all_the_same(value: str, raw: bytes | None, size: int) -> None:
    """Escaped line breaks and letters, prefixes in capitals, URL-safe, without padding."""
    _, pictures = read(cut(b'{"x":"%s"}' % value.encode(), [size]))
    (taken,) = pictures.values()
    assert (taken.problem is None) is (raw is not None)
    assert raw is None or taken.kept.read() == raw


@pytest.mark.parametrize(
    "text", ["https://pictures.example/a.png", "a prompt, long", "data:image/png;base64,é", "short"]
)
def test_other_text_stays_where_it_is(text: str) -> None:
    """Addresses, sentences, words."""
    assert read([json.dumps({"x": text}).encode()]) == ({"x": text}, {})


def test_a_prefix_in_capitals_is_none_of_it() -> None:
    """Whatever media type stands in it."""
    assert decoded("DATA:;base64,QUJD").kept.read() == decoded(" data:image/png;base64,QUJD").kept.read() == b"ABC"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b'{"data":[{"b64_json":"QUJD', "Unterminated string"),
        (b'{"data":[', "Expecting value"),
        (b"", "Expecting value"),
        (b'{"a":"\xff"}', "codec"),
        (b'{"a":"\n"}', "control character"),
        ('{"a":1}'.encode("utf-16"), "JSON"),
        (b'{"a":"\\u12G4567890"}', "not JSON"),
    ],
)
def test_what_is_no_json_is_refused(text: bytes, says: str) -> None:
    """Cut, foreign, or in another encoding."""
    with pytest.raises(ValueError, match=says):
        read([text])


def test_limits_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a picture nor the rest of the document grows without bound; a limit itself is allowed."""
    monkeypatch.setattr(splitting, "MAX_PICTURE", 6)
    assert decoded("QUJDQUJD").problem is None
    assert "more than 6 bytes" in str(decoded("QUJDQUJDQQ==").problem)
    monkeypatch.setattr(splitting, "MAX_DOCUMENT", 10)
    assert read([b'{"data":1}'])[0] == {"data": 1}
    with pytest.raises(SplitError, match="larger than 10 bytes"):
        read([b'{"data": [ ]}'])


def test_large_pictures_wait_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past a limit the decoded file is no longer in memory, and whole all the same."""
    monkeypatch.setattr(store, "IN_MEMORY", 10)
    raw = bytes(range(256))
    _, pictures = read(cut(b'{"x":"%s"}' % base64.b64encode(raw), [64]))
    (taken,) = pictures.values()
    assert taken.kept.read() == raw
    assert not any(isinstance(piece, bytes) for piece in taken.kept._pieces)


@pytest.mark.parametrize("installed", [True, False], ids=["pybase64", "binascii"])
def test_both_decoders_agree(installed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast decoder of the extra and that of the standard library take and refuse the same."""
    if installed:
        pytest.importorskip("pybase64", reason="the extra `fast` is not installed")
    else:
        monkeypatch.setitem(__import__("sys").modules, "pybase64", None)
    splitting._decoder.cache_clear()
    try:
        assert decoded("QUJDQUI=").kept.read() == b"ABCAB"
        assert decoded("QU-_QU-_").kept.read() == binascii.a2b_base64("QU+/QU+/")
        for wrong in ("QUJDQ", "Q===", "QUJD!AAA"):
            assert decoded(wrong).problem
    finally:
        splitting._decoder.cache_clear()


def test_the_beginning_is_what_an_error_shows() -> None:
    """The first 4,000 bytes, with placeholders for the pictures."""
    reader = PictureSplitter()
    assert reader.beginning() == b""
    reader.feed(b'{"x":"QUJDQUJD"}' + b" " * 5000)
    assert reader.beginning().startswith(b'{"x":"<picture 0: 6 bytes>"}')
    assert len(reader.beginning()) == 4000
