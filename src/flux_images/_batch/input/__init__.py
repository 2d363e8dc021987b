"""Requests as people have them, read one at a time and checked by the contract."""

from __future__ import annotations
