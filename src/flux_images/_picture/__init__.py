"""Pictures that were paid for: held, fetched, checked, saved."""

from __future__ import annotations
