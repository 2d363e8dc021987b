"""The folder of a batch, and what is in its pictures beside the picture."""

from __future__ import annotations
