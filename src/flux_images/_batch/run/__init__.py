"""Buying: what was noted is sent, and what was paid for is brought home."""

from __future__ import annotations
