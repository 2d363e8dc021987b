"""The way to the gateway: attempts, retries, and what they may have cost."""

from __future__ import annotations
