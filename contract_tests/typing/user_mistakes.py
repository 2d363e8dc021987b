"""What a type checker must refuse: each line that is wrong says so, and a needless mark is itself a finding."""

from __future__ import annotations

from flux_images import AsyncFluxImages, FluxImages


def wrong(flux: FluxImages, awaited: AsyncFluxImages) -> None:
    """Misspelt values, missing awaits, wrong types."""
    flux.generate("A medal", output_format="gif")  # type: ignore[arg-type]  # not a format of the contract
    flux.generate("A medal", n="2")  # type: ignore[arg-type]  # a number
    flux.generate("A medal", size="1024x1024")  # type: ignore[call-arg]  # no such field
    print(awaited.generate("A medal").image)  # type: ignore[attr-defined]  # not awaited
    FluxImages("sk-key", "https://a.example")  # type: ignore[call-arg]  # only the key is positional
