from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flux_images_mock import MockServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def mock() -> Iterator[MockServer]:
    with MockServer(max_body=1024 * 1024, header_timeout=1.0) as server:
        yield server
