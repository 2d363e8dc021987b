"""A client under test: the SDK with one generated package under it, held by what it sends and what it makes of answers.

Usually that is the installed pair. `Client.of(folder)` takes the generated package from another folder instead, with
an SDK freshly imported on top of it: so a client made from a changed contract can be asked the same questions.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, get_type_hints

import httpx
import respx

from contract_tests.contract import document as contract
from contract_tests.contract.requests import KEY

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from types import ModuleType

BASE = "https://gateway.example"
GENERATE = "create_image"
"""The operation that `FluxImages.generate` calls."""
_PACKAGES = ("flux_images", "flux_images_api")


class Client:
    """What the checks ask of a client, whatever package it is made of."""

    def __init__(self) -> None:
        self.sdk: ModuleType = importlib.import_module("flux_images")
        self.types: ModuleType = importlib.import_module("flux_images_api.types")
        self.decode: ModuleType = importlib.import_module("flux_images_api._decode")
        self.errors: ModuleType = importlib.import_module("flux_images_api.errors")
        importlib.import_module("flux_images._answer.pictures")

    @classmethod
    @contextmanager
    def of(cls, folder: Path) -> Generator[Client]:
        """The SDK on top of the generated package in another folder, for the time of a `with`."""
        hidden = {name: sys.modules.pop(name) for name in [*sys.modules] if name.partition(".")[0] in _PACKAGES}
        sys.path.insert(0, str(folder))
        try:
            yield cls()
        finally:
            sys.path.remove(str(folder))
            for name in [name for name in sys.modules if name.partition(".")[0] in _PACKAGES]:
                del sys.modules[name]
            sys.modules.update(hidden)

    def endpoint(self, operation_id: str) -> ModuleType:
        """The generated module of an operation."""
        _, _, declared = contract.operation(operation_id)
        tag = _snake(next(iter(declared.get("tags", ["default"]))))
        return importlib.import_module(f"flux_images_api.api.{tag}.{_snake(operation_id)}")

    def open(self, base_url: str | None = BASE, **options: Any) -> Any:
        """A `FluxImages`, to be closed by the caller."""
        return self.sdk.FluxImages(KEY, base_url=base_url, **{"max_retries": 0, **options})

    def generate(self, body: dict[str, Any], base_url: str | None = BASE, **options: Any) -> Any:
        """`FluxImages.generate` with the fields of a body; those that it has no argument for go into `extra_body`."""
        known = set(inspect.signature(self.sdk.FluxImages.generate).parameters) - {"extra_body", "extra_headers"}
        fields = {name: value for name, value in body.items() if name in known}
        extra = {name: value for name, value in body.items() if name not in known}
        with self.open(base_url, **options) as flux:
            return flux.generate(**fields, extra_body=extra or None)

    def call(
        self, operation_id: str, values: dict[str, Any], body: Any = None, base_url: str = BASE, **options: Any
    ) -> Any:
        """A generated function, through `.api`, with parameters by their names in the contract."""
        endpoint = self.endpoint(operation_id)
        given = {_snake(name): value for name, value in values.items()} | ({} if body is None else {"body": body})
        hints = get_type_hints(endpoint.build_request)
        arguments = {name: self.decode.decoder(hints[name])(value, "") for name, value in given.items()}
        with self.open(base_url, **options) as flux:
            return endpoint.sync(client=flux.api, **arguments)


@contextmanager
def wire(answer: httpx.Response | None = None) -> Generator[respx.Route]:
    """No network: every request gets the answer, and stands in the route's calls."""
    with respx.mock(assert_all_called=False) as router:
        route = router.route()
        route.mock(return_value=answer or httpx.Response(200, json={"data": [{"url": "https://p.example/a.png"}]}))
        yield route


def _snake(name: str) -> str:
    return re.sub(r"\W+", "_", name).lower()
