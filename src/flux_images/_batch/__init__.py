"""Thousands of requests, each bought once: checked, noted before it leaves, saved, and resumed after a crash."""

from __future__ import annotations
