"""The API key: checked once, kept in one place, shown nowhere."""

from __future__ import annotations

import base64
import logging
import os
import re
from urllib.parse import quote

from flux_images._errors import ConfigurationError

ENV = "FLUX_API_KEY"
_MASK = "***"
_PLACEHOLDER = r"\{.*\}|<.*>|\$\w*|\[.*\]|[*.x…•]+|(sk-)?[*.x…•]{3,}|(?i:your|my)[-_ ](?i:api[-_ ]?)?(?i:key|token)"

log = logging.getLogger("flux_images")


class Key:
    """Holds the key. Only ``authorization`` gives it out, to the request that is about to be sent."""

    __slots__ = ("__secret",)

    def __init__(self, secret: str) -> None:
        self.__secret = secret

    def __repr__(self) -> str:
        return f"Key({_MASK})"

    def __reduce__(self) -> tuple[type[Key], tuple[str]]:
        raise TypeError("a key cannot be pickled; make the client where it is used")

    def authorization(self) -> str:
        """The value of the Authorization header."""
        return f"Bearer {self.__secret}"

    def redact(self, text: str) -> str:
        """Replace the key in ``text``: plain, URL-encoded and in base64, at whichever offset it starts."""
        for form in self._forms():
            if form in text:
                text = text.replace(form, _MASK)
        return text

    def _forms(self) -> list[str]:
        secret = self.__secret
        raw = secret.encode()
        forms = [secret, quote(secret, safe="")]
        if len(bare := secret.removeprefix("sk-")) >= 8:
            forms.append(bare)
        if len(raw) >= 8:
            for offset in range(3):
                whole = base64.b64encode(b"\0" * offset + raw)
                # The first group mixes with what stands before the key, the last with what follows.
                core = whole[4 if offset else 0 : len(whole) - 4].decode()
                if len(core) >= 8:
                    forms += [core, core.replace("+", "-").replace("/", "_")]
        return forms


def find_key(given: str | None) -> Key:
    """Take the key from the argument or the environment, and check that it can stand in a header.

    Raises:
        ConfigurationError: there is none, or it holds spaces, control or non-ASCII characters.
    """
    source = "api_key" if given is not None else ENV
    secret = given if given is not None else os.environ.get(ENV, "")
    given = None
    if not isinstance(secret, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # whatever a caller passes
        kind, secret = type(secret).__name__, ""
        raise ConfigurationError(f"{source}: expected the key as text, got {kind}")
    if secret[:7].lower() == "bearer ":
        log.warning("%s starts with 'Bearer ', which is added when sending: leave it out", source)
        secret = secret[7:].lstrip(" ")
    if problem := _problem(secret):
        secret = ""  # a traceback that shows locals must not show it
        raise ConfigurationError(f"{source}: {problem}")
    return Key(secret)


def _problem(secret: str) -> str | None:
    if not secret:
        return f"there is no key; pass api_key=... or set {ENV}"
    if re.fullmatch(_PLACEHOLDER, secret.strip()):
        return "this is a placeholder from an example, not a key; put the gateway's key there"
    if secret != secret.strip():
        return "the key starts or ends with white space, perhaps a line break from a file; strip it"
    if not secret.isascii():
        return "the key holds a character that is not ASCII; copy it again from the gateway's page"
    if not secret.isprintable() or " " in secret:
        return "the key holds a space or a control character; copy it again from the gateway's page"
    return None
