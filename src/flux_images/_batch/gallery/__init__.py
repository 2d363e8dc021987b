"""The gallery: a page beside the pictures, which a browser opens from the disk."""

from __future__ import annotations
