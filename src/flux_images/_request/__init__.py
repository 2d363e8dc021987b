"""From a caller's words to a checked request: options, the key, the address, the body."""

from __future__ import annotations
