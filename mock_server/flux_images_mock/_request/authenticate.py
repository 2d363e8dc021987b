"""Judge who is asking: security schemes, and what each makes of a request's credentials."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote_plus

from flux_images_mock._description.node import Node
from flux_images_mock._description.schema import Violation
from flux_images_mock._options import Auth
from flux_images_mock._request.message import Request
from flux_images_mock._request.parameters import read_pairs

_KEY = re.compile(r"[!-~]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why credentials were not taken: none at all, or bad ones, with advice for the caller."""

    kind: Literal["no-auth", "bad-auth"]
    advice: str
    scheme: str


@dataclass(frozen=True, slots=True)
class Scheme:
    """One security scheme of the description."""

    kind: str
    place: str
    name: str

    def judge(self, request: Request, auth: Auth) -> str | Refused:
        """Return the credential that the request carries, or why it doesn't do."""
        if self.kind == "bearer":
            return _bearer(_authorization(request), auth)
        if self.kind == "basic":
            return _basic(_authorization(request))
        value = _api_key(request, self.place, self.name)
        return value or Refused("no-auth", f"put the key in the {self.place} as {self.name}", "ApiKey")


Alternatives = tuple[tuple[Scheme, ...], ...]


def doubled_authorization(request: Request) -> Violation | None:
    """Return the difference if the request has more than one Authorization header."""
    if not request.headers.repeated:
        return None
    count = len(request.headers.all(b"authorization"))
    return Violation("header", "Authorization", "one header", str(count)) if count > 1 else None


def authenticate(alternatives: Alternatives, request: Request, auth: Auth) -> str | Refused | None:
    """Return the caller's credential, nothing where none is needed, or why the request is refused."""
    if len(alternatives) == len(alternatives[0]) == 1:
        return alternatives[0][0].judge(request, auth)
    refused: Refused | None = None
    for schemes in alternatives:
        judged = [scheme.judge(request, auth) for scheme in schemes]
        failures = [verdict for verdict in judged if isinstance(verdict, Refused)]
        if not failures:
            return next((verdict for verdict in judged if isinstance(verdict, str)), None)
        if refused is None or failures[0].kind == "bad-auth":
            refused = failures[0]
    return refused


def _authorization(request: Request) -> str:
    return (request.headers.get(b"authorization") or b"").decode("latin-1").strip(" ")


def _bearer(line: str, auth: Auth) -> str | Refused:
    scheme, space, rest = line.partition(" ")
    key = rest.strip(" ")
    known = scheme == "Bearer" if auth == "gateway" else scheme.lower() == "bearer"
    if not line or (known and not key):
        return Refused("no-auth", "send the header Authorization: Bearer YOUR_KEY", "Bearer")
    if known and _KEY.fullmatch(key):
        return key
    if known:
        return Refused("bad-auth", "a key is visible ASCII characters without spaces", "Bearer")
    if space:
        return Refused("bad-auth", "the scheme must be Bearer, then a space, then the key", "Bearer")
    if not _KEY.fullmatch(line):
        return Refused("bad-auth", "write Bearer, one space, then the key in visible ASCII characters", "Bearer")
    if auth == "gateway" and scheme.lower() != "bearer":
        return line
    return Refused("bad-auth", "put `Bearer ` before the key", "Bearer")


def _basic(line: str) -> str | Refused:
    scheme, _, rest = line.partition(" ")
    if not line:
        return Refused("no-auth", "send the header Authorization: Basic, then base64 of name:password", "Basic")
    try:
        pair = base64.b64decode(rest.strip(" "), validate=True).decode()
    except (binascii.Error, ValueError):
        pair = ""
    if scheme.lower() != "basic" or ":" not in pair:
        return Refused("bad-auth", "the header must be Basic, a space, then base64 of name:password", "Basic")
    return pair


def _api_key(request: Request, place: str, name: str) -> str | None:
    if place == "header":
        return (request.headers.get(name.lower().encode()) or b"").decode("latin-1")
    if place == "query":
        pairs = read_pairs(request.query.decode("latin-1"))
    else:
        lines = request.headers.all(b"cookie")
        pairs = [(key.strip(), text) for line in lines for key, text in read_pairs(line.decode("latin-1"), ";")]
    return next((unquote_plus(text) for key, text in pairs if unquote_plus(key) == name), None)


def compile_security(owner: Node, root: Node) -> Alternatives:
    """Return the alternatives that `owner` declares; none means that anyone may ask."""
    alternatives: list[tuple[Scheme, ...]] = []
    for requirement in owner.elements("security"):
        alternatives.append(tuple(_scheme(name, requirement, root) for name in requirement.mapping()))
    return tuple(alternatives)


def _scheme(name: str, requirement: Node, root: Node) -> Scheme:
    components = root.get("components")
    schemes = None if components is None else components.get("securitySchemes")
    node = None if schemes is None else schemes.get(name)
    if node is None:
        raise requirement.error(f"there is no security scheme {name!r} in the components")
    kind = node.text("type")
    if kind == "http" and node.text("scheme").lower() in ("bearer", "basic"):
        return Scheme(node.text("scheme").lower(), "header", "Authorization")
    if kind in ("oauth2", "openIdConnect"):
        return Scheme("bearer", "header", "Authorization")
    if kind == "apiKey" and node.text("in") in ("header", "query", "cookie"):
        return Scheme("apiKey", node.text("in"), node.text("name"))
    raise node.error(f"the mock can't check a security scheme of type {kind!r} {node.text('scheme')}".rstrip())
