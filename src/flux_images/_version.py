"""The package's version, in one cheap place: importlib.metadata costs more than the whole import."""

from __future__ import annotations

__version__ = "0.1.0"
