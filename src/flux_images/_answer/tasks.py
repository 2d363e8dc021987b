"""Answers that name a task instead of holding a picture: it is drawn later, and asked for by its id."""

from __future__ import annotations

from typing import Any, NamedTuple

from flux_images._text import is_list, is_object

IDS = ("task_id", "id")
STATUS = ("status", "task_status", "state")
PENDING = frozenset({
    "submitted", "pending", "queued", "queueing", "processing", "in_progress", "running", "not_start", "starting",
    "created", "waiting",
})  # fmt: skip
FAILED = frozenset({"failed", "failure", "error", "cancelled", "canceled", "expired", "timeout", "moderated"})
"""What a status says of a task, in lower case: relays of this family, Replicate, fal and the models' makers."""
REASONS = ("fail_reason", "error", "message", "detail", "failure_reason")
_WRAPPERS = ("data", "result", "output")


class Task(NamedTuple):
    """A task that an answer names; ``failed`` says that it will bring nothing, ``reason`` why."""

    id: str
    failed: bool
    reason: object


def task_of(document: Any) -> Task | None:
    """The task of an answer without a picture, if there is one."""
    if is_list(document):
        return next((task for entry in document if (task := task_of(entry))), None)
    if not is_object(document):
        return None
    fields = document
    status = next((str(fields[name]).lower() for name in STATUS if isinstance(fields.get(name), str)), "")
    identity = next((str(fields[name]) for name in IDS if isinstance(fields.get(name), str | int)), "")
    if identity and ("task_id" in fields or status in PENDING | FAILED):
        reason = next((fields[name] for name in REASONS if fields.get(name)), f"the task ended as {status}")
        return Task(identity, status in FAILED, reason)
    return next((task for name in _WRAPPERS if (task := task_of(fields.get(name)))), None)
