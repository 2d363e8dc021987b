"""Every row of what gateways of this family were seen to do, and what a caller must get.

A row says what the server does to the POST (or to the GET of the picture), which error the caller gets, whether
the call may have been billed, and how many times the POST may be sent.
"""

from __future__ import annotations

from tests.sdk.rows.errors import ERRORS
from tests.sdk.rows.row import GOOD_URL, Row, middleware
from tests.sdk.rows.successes import SUCCESSES
from tests.sdk.rows.wire import WIRE
from tests.sdk.rows.words import WORDS

__all__ = ["GOOD_URL", "ROWS", "Row", "middleware"]

ROWS = [*ERRORS, *SUCCESSES, *WIRE, *WORDS]
