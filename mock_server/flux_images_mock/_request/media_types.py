"""What a media type says of a body."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=64)
def essence_of(line: str) -> str:
    """Return a media type in lower case, without its parameters."""
    return line.partition(";")[0].strip().lower()


@lru_cache(maxsize=64)
def parameter_of(line: str, name: str) -> str:
    """Return a parameter of a media type in lower case, empty if it isn't there."""
    for parameter in line.lower().split(";")[1:]:
        key, _, value = parameter.partition("=")
        if key.strip() == name:
            return value.strip().strip('"')
    return ""


def is_json(essence: str) -> bool:
    """Return whether bodies of this type are JSON."""
    return essence == "application/json" or essence.endswith("+json")


def is_xml(essence: str) -> bool:
    """Return whether bodies of this type are XML."""
    return essence in ("application/xml", "text/xml") or essence.endswith("+xml")
