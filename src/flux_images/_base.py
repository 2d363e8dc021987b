"""What the two clients share: everything but the awaiting."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import httpx

from flux_images._request.options import limits
from flux_images._send.call import POLICY, check_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flux_images._api import Api
    from flux_images._request.options import Config
    from flux_images._send.loop import ApiClient, AsyncApiClient


class BaseClient:
    """The parent of both."""

    _config: Config

    def __repr__(self) -> str:
        # A traceback may show a client whose construction failed.
        where = str(self._config.base_url) if hasattr(self, "_config") else None
        return f"{type(self).__name__}(base_url={where!r})"

    def __reduce__(self) -> Any:
        raise TypeError("a client cannot be pickled: it holds connections and a key; make one where it is used")

    def _api(self, http: ApiClient | AsyncApiClient, with_options: Callable[..., BaseClient]) -> Api:
        from flux_images._api import Api

        def changed(**options: Any) -> Api:
            return with_options(**options).api

        return Api(http, self._config.settings.key, changed)

    @property
    def api(self) -> Api:
        """The generated client: pass it as ``client`` to any function of ``flux_images_api.api``."""
        raise NotImplementedError

    def _request(
        self,
        http: ApiClient | AsyncApiClient,
        fields: Mapping[str, Any],
        extra_body: Mapping[str, Any] | None,
        timeout: float | httpx.Timeout | None,
        extra_headers: Mapping[str, str] | None,
    ) -> httpx.Request:
        from flux_images._answer.pictures import image_request
        from flux_images._request.rules import unwritable  # `import flux_images` stays light without it

        arguments = image_request(fields, extra_body)
        settings = self._config.settings
        stages, policy = limits(timeout, None, settings.timeout, settings.policy)
        headers = {**arguments.pop("headers", {}), **check_headers(extra_headers)}
        try:
            # Client.build_request() would merge what is merged here, at twice the cost of all else.
            request = httpx.Request(
                arguments.pop("method"),
                _url(str(http.base_url), arguments.pop("url")),
                headers=http.headers,
                extensions={"timeout": stages.as_dict(), POLICY: policy},
                **arguments,
            )
        except (TypeError, ValueError, RecursionError):
            raise unwritable(arguments["json"]) from None
        for name, value in headers.items():
            request.headers[name] = value
        return request


@cache
def _url(base: str, path: str) -> httpx.URL:
    return httpx.URL(base.rstrip("/") + path)
