"""What the two clients share: everything but the awaiting."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Self

import httpx

from flux_images._send.loop import AsyncSender, Sender

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping

    from flux_images._batch.job import Batch
    from flux_images._batch.options import BatchOptions
    from flux_images._batch.run.progress import Progress
    from flux_images._client.api import Api
    from flux_images._request.options import Options

DEFAULT_MODEL = "flux-pro-1.1-ultra"


def first_answer() -> None:
    """Import what the first call needs, and `import flux_images` does not."""
    for name in ("_answer.pictures", "_request.build"):
        importlib.import_module(f"flux_images.{name}")


class BaseClient:
    """What the two clients share: everything but the awaiting."""

    _options: Options
    _task_path: str | None

    def __repr__(self) -> str:
        # A traceback may show a client whose construction failed.
        where = str(self._options.base_url) if hasattr(self, "_options") else None
        return f"{type(self).__name__}(base_url={where!r})"

    def __reduce__(self) -> Any:
        raise TypeError("a client cannot be pickled: it holds connections and a key; make one where it is used")

    @property
    def api(self) -> Api:
        """The generated client: pass it as ``client`` to any function of ``flux_images_api.api``."""
        raise NotImplementedError

    def _api(self, sender: Sender | AsyncSender) -> Api:
        from flux_images._client.api import Api  # `import flux_images` stays light without it

        def changed(**options: Any) -> Api:
            return self.with_options(**options).api

        return Api(sender, self._options, changed)

    def with_options(
        self,
        *,
        timeout: float | httpx.Timeout | None = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """A client with other options on the same connections; closing either closes both."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._options = self._options.changed(timeout, max_retries, headers)
        other._wire()
        return other

    def _batch(
        self,
        requests: str | os.PathLike[str] | Iterable[Mapping[str, Any]] | None,
        folder: str | os.PathLike[str],
        defaults: Mapping[str, Any] | None,
        on_progress: Callable[[Progress], object] | None,
        options: BatchOptions,
    ) -> Batch:
        from flux_images._batch.job import Batch
        from flux_images._batch.options import Settings  # as above

        return Batch(
            self._options,
            self._task_path,
            requests,
            folder,
            Settings(**options),
            defaults={"model": DEFAULT_MODEL, **(defaults or {})},
            on_progress=on_progress,
        )

    def _wire(self) -> None:
        """Take the options into use."""
        raise NotImplementedError
