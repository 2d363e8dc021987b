"""The mock's own paths, beside those of the description."""

from __future__ import annotations

CONTROL = "/__mock__/"
"""The control API."""
PICTURES = f"{CONTROL}pictures/"
"""The host of the pictures, which anyone with a signed address may ask."""
