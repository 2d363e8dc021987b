"""The Python sample that uses this SDK."""

from __future__ import annotations

from codegen.samples.request import KEY, SampleRequest

CALLS = {"create_image": ("generate", 'generation.image.save("picture")')}
"""What the SDK's hand-written client calls an operation, and what to do with the answer."""


def with_the_sdk(request: SampleRequest) -> str | None:
    """Write the call, or nothing where the SDK has only the generated client."""
    if request.operation not in CALLS:
        return None
    method, then = CALLS[request.operation]
    fields = dict(request.body or {})
    prompt = fields.pop("prompt")
    arguments = [_literal(prompt), *(f"{name}={_literal(value)}" for name, value in fields.items())]
    lines = [
        "from flux_images import FluxImages",
        "",
        f'with FluxImages("{KEY}", base_url="{request.server}") as flux:',
        f"    generation = flux.{method}(",
        *(f"        {argument}," for argument in arguments),
        "    )",
        f"    {then}",
    ]
    return "\n".join(lines) + "\n"


def _literal(value: object) -> str:
    """A Python literal, in double quotes where that needs no escape."""
    written = repr(value)
    if written.startswith("'") and '"' not in written:
        return f'"{written[1:-1]}"'
    return written
