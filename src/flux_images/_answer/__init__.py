"""What becomes of an answer's bytes."""

from __future__ import annotations
