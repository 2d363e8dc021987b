"""Pictures out of streamed JSON: what json.loads and base64 make of the whole is the oracle."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flux_images._answer import split as splitting
from flux_images._answer.split import PictureSplitter, SplitError

Pictures = list[bytes | None]


def split(chunks: list[bytes]) -> tuple[Any, Pictures]:
    """The document with its pictures put back, and the pictures."""
    splitter = PictureSplitter()
    try:
        for chunk in chunks:
            splitter.feed(chunk)
        document = splitter.document()
        pictures: Pictures = []
        for entry in _entries(document):
            value = entry.get("b64_json")
            if isinstance(value, str) and value:
                file, size = splitter.take(value)
                with file:
                    pictures.append(file.read())
                assert size == len(pictures[-1] or b"")
            else:
                pictures.append(None)
        return document, pictures
    finally:
        splitter.close()


def _entries(document: Any) -> list[dict[str, Any]]:
    data = document.get("data") if isinstance(document, dict) else None
    return [entry for entry in data if isinstance(entry, dict)] if isinstance(data, list) else []


def cut(text: bytes, sizes: list[int]) -> list[bytes]:
    """The text in pieces of these sizes, over and over."""
    pieces: list[bytes] = []
    while text:
        for size in sizes:
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


PICTURE = st.binary(min_size=1, max_size=200)
OTHER = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=12) | st.just("b64_json"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["data", "b64_json", "url", 'q"'])
    , inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "b64_json": st.none() | st.just("") | PICTURE.map(lambda raw: base64.b64encode(raw).decode())
        | PICTURE.map(lambda raw: "data:image/png;base64," + base64.b64encode(raw).decode()),
        "url": OTHER,
        "x": OTHER,
    },
)  # fmt: skip
DOCUMENT = st.fixed_dictionaries({"a": OTHER, "data": st.none() | st.lists(ENTRY, max_size=4), "z": OTHER})


@given(DOCUMENT, st.lists(st.integers(1, 40), min_size=1, max_size=4), st.sampled_from([0, 1, 3]), st.booleans())
@example({"a": None, "data": [{"b64_json": "/+/+"}], "z": "\\"}, [1], 1, True)
def test_any_document_in_any_pieces(document: dict[str, Any], sizes: list[int], every: int, spaced: bool) -> None:
    """Keys split across chunks, white space, escapes, several pictures: as if it had been read whole."""
    text = json.dumps(document, indent=2 if spaced else None, ensure_ascii=False)
    text = escaped(text, every) if every else text
    expected: Pictures = []
    for entry in _entries(document):
        value = entry.get("b64_json")
        expected.append(base64.b64decode(value.rpartition(",")[2]) if value else None)
    found, pictures = split(cut(text.encode(), sizes))
    assert pictures == expected
    for entry, original in zip(_entries(found), _entries(document), strict=True):
        if original.get("b64_json"):
            entry["b64_json"] = original["b64_json"]
    assert found == document


@given(st.binary(max_size=60), st.lists(st.integers(1, 9), min_size=1, max_size=3))
def test_any_bytes_at_all(noise: bytes, sizes: list[int]) -> None:
    """What is not JSON is a ValueError, as it is for the JSON parser; nothing else ever."""
    try:
        expected = json.loads(noise.decode("utf-8-sig"), parse_constant=int)
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011 -- of whatever kind
            split(cut(noise, sizes))
    else:
        assert split(cut(noise, sizes))[0] == expected


def _answer(value: str) -> bytes:
    return b'{"data":[{"b64_json":"' + value.encode() + b'"}]}'


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("QUJD!", "not base64|cut short"),
        ("QU-_", "not base64"),
        ("QUJ", "cut short"),
        ("data:", "cut short"),
        ("data:" + "x" * 251, "cut short"),
        ("data:" + "x" * 252, "without a comma"),
        ("data:" + "x" * 251 + ",QUJD", "without a comma"),
        ("QUJDR", "cut short"),
        ("Q===", "not base64"),
        ("QQ==QUJD", "after its end|not base64"),
        ("QUJD\\u00e9aaa", "not base64"),
        ("QUJD\\ud83d123", "not base64"),
        ("QUJD\\u12G4567890", "not JSON"),
        ("QUJD\\x123456789", "not base64"),
        ("data:image/png;base64", "cut short"),
        ("data:" + "x" * 300, "without a comma"),
    ],
)
def test_wrong_base64_is_said_to_be_wrong(value: str, says: str, size: int) -> None:
    """Foreign characters, a wrong length, data after the padding, broken escapes and endless prefixes are refused."""
    with pytest.raises(SplitError, match=f"^the answer holds .*({says})$"):
        split(cut(_answer(value), [size]))


@pytest.mark.parametrize(
    ("value", "raw"),
    [
        ("QUJD", b"ABC"),
        ("QQ==", b"A"),
        ("QUI=", b"AB"),
        ("QU\\nJD\\r\\n", b"ABC"),
        ("\\u0051UJD", b"ABC"),
        ("DATA:;base64,QUJD", b"ABC"),
        ("data:" + "x" * 250 + ",QUJD", b"ABC"),
        ("data", binascii.a2b_base64("data")),
        ("dat=", binascii.a2b_base64("dat=")),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_what_is_base64_all_the_same(value: str, raw: bytes, size: int) -> None:
    """Escaped line breaks and letters, prefixes in capitals, and pictures that start like a prefix."""
    assert split(cut(_answer(value), [size]))[1] == [raw]


@pytest.mark.parametrize("value", ["", "data:image/png;base64,"])
def test_base64_of_nothing_is_no_picture(value: str) -> None:
    """An empty string stays one, with or without a prefix."""
    document, pictures = split([_answer(value)])
    assert (document["data"], pictures) == ([{"b64_json": ""}], [None])


@pytest.mark.parametrize(
    "text",
    [
        '{"data":{"b64_json":"QUJD"}}',
        '{"data":[["QUJD"]]}',
        '{"data":[{"x":{"b64_json":"QUJD"}}]}',
        '{"x":[{"b64_json":"QUJD"}]}',
        '[{"data":[{"b64_json":"QUJD"}]}]',
        '{"b64_json":"QUJD"}',
        '{"data":[{"b64_json":["QUJD"]}]}',
        '{"data":[{"url":"b64_json","x":"QUJD"}]}',
    ],
)
def test_only_the_contract_s_place_holds_pictures(text: str) -> None:
    """The same key anywhere else is left alone."""
    for size in (1, 1000):
        assert split(cut(text.encode(), [size]))[0] == json.loads(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b'{"data":[{"b64_json":"QUJD', "Unterminated string"),
        (b'{"data":[', "Expecting value"),
        (b"", "Expecting value"),
        (b'{"a":NaN}', "NaN is not JSON"),
        (b'{"a":"\xff"}', "codec"),
        (b'{"a":"\n"}', "control character"),
        (b'{"data":[{"b64_json":"QU\nJD"}]}', "not base64"),
        (b"[" * 200, "nested deeper than 128"),
        ('{"a":1}'.encode("utf-16"), "codec"),
    ],
)
def test_what_is_no_json_is_refused(text: bytes, says: str) -> None:
    """Cut, foreign, too deep or in another encoding."""
    with pytest.raises(ValueError, match=says):
        split([text])


def test_a_byte_order_mark_is_read_over() -> None:
    """Some gateways write one."""
    assert split([b'\xef\xbb\xbf{"data":[]}'])[0] == {"data": []}


def test_the_last_of_two_equal_keys_counts() -> None:
    """As for the JSON parser."""
    assert split([b'{"data":[{"b64_json":"QUJD","b64_json":"REVG"}]}'])[1] == [b"DEF"]


def test_limits_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a picture nor the rest of the document grows without bound; a limit itself is allowed."""
    monkeypatch.setattr(splitting, "MAX_PICTURE", 3)
    assert split([_answer("QUJD")])[1] == [b"ABC"]
    with pytest.raises(SplitError, match="more than 3 bytes"):
        split([_answer("QUJDQQ==")])
    monkeypatch.setattr(splitting, "MAX_DOCUMENT", 10)
    assert split([b'{"data":1}'])[0] == {"data": 1}
    with pytest.raises(SplitError, match="larger than 10 bytes"):
        split([b'{"data": [ ]}'])


def test_large_pictures_wait_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past a limit the decoded file is no longer in memory, and whole all the same."""
    monkeypatch.setattr(splitting, "IN_MEMORY", 10)
    raw = bytes(range(256))
    splitter = PictureSplitter()
    splitter.feed(_answer(base64.b64encode(raw).decode()))
    file, _ = splitter.take("picture 0")
    with file:
        assert getattr(file, "_rolled")  # noqa: B009 -- asking for its fileno() would roll it over
        assert file.read() == raw


@pytest.mark.parametrize("installed", [True, False], ids=["pybase64", "binascii"])
def test_both_decoders_agree(installed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast decoder of the extra and that of the standard library take and refuse the same."""
    if installed:
        pytest.importorskip("pybase64", reason="the extra `fast` is not installed")
    else:
        monkeypatch.setitem(__import__("sys").modules, "pybase64", None)
    splitting._decoder.cache_clear()
    try:
        assert split([_answer("QUI=")])[1] == [b"AB"]
        for wrong in ("QU-_", "QUJ", "Q===", "QUJD!AAA"):
            with pytest.raises(SplitError):
                split([_answer(wrong)])
    finally:
        splitting._decoder.cache_clear()


def test_the_beginning_is_what_an_error_shows() -> None:
    """The first 4,000 bytes, with placeholders for the pictures."""
    splitter = PictureSplitter()
    assert splitter.beginning() == b""
    splitter.feed(_answer("QUJD") + b" " * 5000)
    assert splitter.beginning() == _answer("picture 0") + b" " * (4000 - len(_answer("picture 0")))
    splitter.close()


def test_pictures_that_nobody_takes_are_closed() -> None:
    """Those that are whole, and the one that is on its way."""
    splitter = PictureSplitter()
    splitter.feed(_answer("QUJD")[:-2] + b',{"b64_json":"QUJD')
    files = [splitter._pictures["picture 0"][0]]
    assert splitter._picture
    files.append(splitter._picture.file)
    splitter.close()
    assert all(file.closed for file in files)


def test_strings_in_a_list_are_no_keys() -> None:
    """A picture behind them is still found."""
    assert split([b'{"data":["x","y",{"b64_json":"QUJD"}]}'])[1] == [b"ABC"]
