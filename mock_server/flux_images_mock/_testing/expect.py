"""Say whether a request came, and if not, how the nearest one differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flux_images_mock._description.json import is_object

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_images_mock._gateway.journal import RecordedRequest

_LONGEST = 200


def expect(requests: Sequence[RecordedRequest], fields: dict[str, Any], times: int | None) -> RecordedRequest:
    """Return the last request whose body has these fields; raises `AssertionError` if none has, or not `times`."""
    __tracebackhide__ = True
    if times is not None and times < 1:
        raise ValueError(f"times: expected 1 or more, got {times}; where none is expected, look at `requests`")
    differences = [(_differences(request, fields), request) for request in requests]
    found = [request for lines, request in differences if not lines]
    if found and times in (None, len(found)):
        return found[-1]
    wanted = ", ".join(f"{name}={_short(value)}" for name, value in fields.items()) or "any body"
    if found:
        raise AssertionError(f"expected {times} requests with {wanted}, got {len(found)} of {len(requests)}")
    if not differences:
        raise AssertionError(f"expected a request with {wanted}; none came at all")
    lines, nearest = min(reversed(differences), key=lambda pair: len(pair[0]))
    answer = "no answer" if nearest.status is None else str(nearest.status)
    raise AssertionError(
        f"expected a request with {wanted}; the nearest of {len(requests)} was "
        f"{nearest.method} {nearest.path} -> {answer}, which differs:\n" + "\n".join(f"  {line}" for line in lines)
    )


def _differences(request: RecordedRequest, fields: dict[str, Any]) -> list[str]:
    body = request.body if is_object(request.body) else {}
    return [
        f"/{name}: expected {_short(wanted)}, got {_short(body[name]) if name in body else 'nothing'}"
        for name, wanted in fields.items()
        if name not in body or wanted != body[name]
    ]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
