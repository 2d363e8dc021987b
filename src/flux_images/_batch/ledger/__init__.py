"""What is known of each request, on the disk before anything follows from it."""

from __future__ import annotations
