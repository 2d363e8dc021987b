"""What can have become of a request. Each state is on the disk before what follows from it is done.

waiting     not sent, or sent and surely not billed
sent        it may leave now: whatever happens, it may be billed
pending     the gateway named a task, and draws
paid        answered: the addresses of the pictures are here, or the pictures themselves
saved       every picture that came is a whole file
refused     surely not billed, and it would be refused again
unknown     sent, and the answer was lost: it may have been billed
expired     paid, and an address gives its picture no more
broken      paid, and what an address gives is no whole picture, or cannot be fetched
"""

from __future__ import annotations

WAITING = "waiting"
SENT = "sent"
PENDING = "pending"
PAID = "paid"
SAVED = "saved"
REFUSED = "refused"
UNKNOWN = "unknown"
EXPIRED = "expired"
BROKEN = "broken"

STATES = (WAITING, SENT, PENDING, PAID, SAVED, REFUSED, UNKNOWN, EXPIRED, BROKEN)
FREE = frozenset({WAITING, REFUSED})
"""In these nothing has been paid for."""
UNSETTLED = (SENT, PENDING, PAID, BROKEN)
"""A run begins with these."""
