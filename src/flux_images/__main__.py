"""`python -m flux_images` is the command `flux-images`."""

from __future__ import annotations

import sys

from flux_images._cli import main

if __name__ == "__main__":
    sys.exit(main())
