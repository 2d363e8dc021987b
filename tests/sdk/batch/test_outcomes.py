"""What becomes of the requests of a batch, whatever the gateway does; and what it may spend."""

from __future__ import annotations

import json
import threading
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

import flux_images as flux
from flux_images import AsyncFluxImages, FluxImages
from flux_images._batch.files.folder import FolderInUseError
from flux_images._batch.job import Batch
from flux_images._batch.load import BadLinesError
from flux_images._batch.run.progress import Progress, Result
from flux_images._batch.run.shop import Shop
from flux_images_mock import MockServer
from tests.sdk.batch.books import assert_nothing_lost, books

KEY = "sk-test-Zm9vYmFy-0123456789"


def medals(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"id": f"p{number}", "prompt": f"medal {number}", **fields} for number in range(count)]


def run(mock: MockServer, folder: Path, requests: Any, **options: Any) -> tuple[Batch, list[Result]]:
    client = {"timeout": options.pop("timeout", 5), "task_path": options.pop("task_path", None)}
    with FluxImages(KEY, base_url=mock.url, **client) as client_:
        batch = client_.batch(requests, folder, **options)
        return batch, list(batch)


@pytest.fixture
def _no_greeting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first question of a run would meet the scenario that is meant for a request."""

    async def greet(_: Shop) -> None:
        return

    monkeypatch.setattr(Shop, "greet", greet)


SCENARIOS = [  # a scenario that one of three requests meets; what becomes of it; whether the run is stopped
    ("upstream-saturated", "saved", None),
    ("rate-limited-seconds", "saved", None),
    ("rate-limited-empty", "saved", None),
    ("cloudflare-524", "unknown", None),
    ("reset-before-headers", "unknown", None),
    ("reset-after-headers", "unknown", None),
    ("cut-body", "unknown", None),
    ("empty-object", "unknown", None),
    ("web-page", "unknown", None),
    ("sensitive-words", "refused", None),
    ("input-moderated", "refused", None),
    ("output-moderated", "unknown", None),
    ("picture-html", "broken", None),
    ("picture-connection-lost", "broken", None),
    ("url-expired", "expired", None),
    ("task-accepted", "pending", None),
    ("user-quota-exhausted", "waiting", "account"),
    ("base64-in-lines", "saved", None),
]


@pytest.mark.usefixtures("_no_greeting")
@pytest.mark.parametrize(("scenario", "state", "stopped"), SCENARIOS)
def test_what_one_request_meets(
    flux_mock: MockServer, tmp_path: Path, scenario: str, state: str, stopped: str | None
) -> None:
    first, _ = run(flux_mock, tmp_path / "out", medals(1))
    assert first.stopped is None
    flux_mock.scenario(scenario, times=1)
    batch, results = run(flux_mock, tmp_path / "out", medals(3), concurrency=1)
    assert (batch.stopped or (None,))[0] == stopped
    states = {result.id: result.state for result in results}
    assert states.get("p1", "waiting") == state
    assert states.get("p2", "waiting") == ("waiting" if stopped else "saved")
    found = books(tmp_path / "out", flux_mock)
    assert_nothing_lost(found)


@pytest.mark.usefixtures("_no_greeting")
@pytest.mark.parametrize(
    ("scenario", "options", "after"),
    [
        ("url-expired", {}, "expired"),
        ("url-expired", {"rebuy_expired": True}, "saved"),
        ("cloudflare-524", {}, "unknown"),
        ("cloudflare-524", {"resend_unknown": True}, "saved"),
        ("sensitive-words", {}, "refused"),
        ("sensitive-words", {"retry_refused": True}, "saved"),
    ],
)
def test_what_the_next_run_does(
    flux_mock: MockServer, tmp_path: Path, scenario: str, options: dict[str, Any], after: str
) -> None:
    """Only what is asked for is bought again; what was paid for is fetched again anyway."""
    flux_mock.scenario(scenario, times=1)
    run(flux_mock, tmp_path / "out", medals(1), timeout=2)
    flux_mock.reset()
    batch, _ = run(flux_mock, tmp_path / "out", medals(1), **options)
    assert batch.counts()[after] == 1
    billed = {"rebuy_expired", "resend_unknown", "retry_refused"} & set(options)
    assert flux_mock.bill.pictures == len(billed)


@pytest.mark.usefixtures("_no_greeting")
def test_a_task_is_asked_for_by_the_next_run(flux_mock: MockServer, tmp_path: Path) -> None:
    flux_mock.scenario("task-accepted", times=1)
    batch, _ = run(flux_mock, tmp_path / "out", medals(1))
    assert batch.counts()["pending"] == 1
    batch, _ = run(flux_mock, tmp_path / "out", medals(1), task_path="/v1/tasks/{task_id}", timeout=30)
    assert batch.counts()["saved"] == 1
    assert flux_mock.bill.pictures == 1


def test_a_refused_key_stops_before_anything_is_sent(flux_mock: MockServer, tmp_path: Path) -> None:
    flux_mock.reset(api_keys=["sk-another-key-0123456789"])
    with pytest.raises(flux.AuthenticationError):
        run(flux_mock, tmp_path / "out", medals(3))
    flux_mock.reset()
    assert run(flux_mock, tmp_path / "out", medals(3))[0].counts()["saved"] == 3


def test_a_rate_limit_loses_nothing(flux_mock: MockServer, tmp_path: Path) -> None:
    """And nobody hammers: each minute's refusals are few."""
    flux_mock.reset(rate_limit="20/s")
    batch, results = run(flux_mock, tmp_path / "out", medals(60), concurrency=32)
    assert Counter(result.state for result in results) == {"saved": 60}
    assert flux_mock.bill.pictures == 60
    assert batch.stopped is None


@pytest.mark.parametrize("caps", [{"max_images": 10}, {"max_cost": Decimal("0.65"), "price": Decimal("0.06")}])
def test_a_cap_is_never_passed(flux_mock: MockServer, tmp_path: Path, caps: dict[str, Any]) -> None:
    """With many in flight, several pictures a request, answers that are lost, and over several runs."""
    flux_mock.reset(latency="10ms..80ms", chaos=0.2, seed=7)
    for _ in range(4):
        batch, _ = run(flux_mock, tmp_path / "out", medals(40, n=3), concurrency=64, timeout=2, **caps)
        assert flux_mock.bill.pictures <= batch.spent <= 10
        assert batch.stopped is not None
        assert batch.stopped[0] == "cap"


@pytest.mark.usefixtures("_no_greeting")
def test_too_many_failures_in_a_row_stop(flux_mock: MockServer, tmp_path: Path) -> None:
    flux_mock.scenario("sensitive-words")
    batch, results = run(flux_mock, tmp_path / "out", medals(50), concurrency=1, max_failures=5)
    assert len(results) == 5
    assert batch.stopped is not None
    assert batch.stopped[0] == "failures"
    assert batch.counts()["waiting"] == 45


def test_a_gateway_that_is_not_there(tmp_path: Path) -> None:
    with FluxImages(KEY, base_url="http://127.0.0.1:9", timeout=2) as client, pytest.raises(flux.APIConnectionError):
        list(client.batch(medals(1), tmp_path / "out"))


def test_leaving_the_loop_finishes_what_is_under_way(flux_mock: MockServer, tmp_path: Path) -> None:
    flux_mock.reset(latency="50ms")
    with FluxImages(KEY, base_url=flux_mock.url) as client:
        for _ in client.batch(medals(50), tmp_path / "out", concurrency=4):
            break
    found = books(tmp_path / "out", flux_mock)
    assert set(found.states) == {"saved", "waiting"}
    assert found.saved == found.billed < 50


def test_a_folder_is_one_runs_alone(flux_mock: MockServer, tmp_path: Path) -> None:
    with FluxImages(KEY, base_url=flux_mock.url) as client:
        first = client.batch(medals(1), tmp_path / "out")
        with first, pytest.raises(FolderInUseError, match=r"another run works in it \(process [0-9]+ on "):
            client.batch(medals(1), tmp_path / "out")
        list(client.batch(medals(1), tmp_path / "out"))


def test_bad_requests_spend_nothing_and_are_all_named(flux_mock: MockServer, tmp_path: Path) -> None:
    requests = [*medals(2), {"prompt": "x", "aspect_ratio": "9:99"}, {"promt": "x"}, {"id": "p1", "prompt": "other"}]
    with pytest.raises(BadLinesError) as caught:
        run(flux_mock, tmp_path / "out", requests)
    assert [line.line for line in caught.value.lines] == [3, 4, 5]
    assert not flux_mock.requests
    batch, _ = run(flux_mock, tmp_path / "out", requests, skip_bad=True)
    assert batch.counts()["saved"] == 2


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_awaited(flux_mock: MockServer, tmp_path: Path, backend: str) -> None:
    seen: list[Progress] = []

    async def main() -> list[Result]:
        async with AsyncFluxImages(KEY, base_url=flux_mock.url) as client:
            return [result async for result in client.batch(medals(5), tmp_path / "out", on_progress=seen.append)]

    assert {result.state for result in anyio.run(main, backend=backend)} == {"saved"}
    assert seen


def test_the_input_may_change_between_runs(flux_mock: MockServer, tmp_path: Path) -> None:
    """Reordered and inserted lines resume; without ids too, and a prompt that occurs twice is bought twice."""
    path = tmp_path / "prompts.txt"
    path.write_text("red\nblue\nred\n")
    run(flux_mock, tmp_path / "out", str(path))
    assert flux_mock.bill.pictures == 3
    path.write_text("green\nred\nred\nblue\n")
    run(flux_mock, tmp_path / "out", str(path))
    assert flux_mock.bill.pictures == 4
    path.write_text("white\n")
    batch, _ = run(flux_mock, tmp_path / "out", str(path))
    assert flux_mock.bill.pictures == 5
    assert batch.counts()["saved"] == 5


def test_what_is_no_longer_listed_is_not_sent(flux_mock: MockServer, tmp_path: Path) -> None:
    run(flux_mock, tmp_path / "out", medals(4), max_images=1)
    run(flux_mock, tmp_path / "out", medals(2))
    assert flux_mock.bill.pictures == 2


def test_each_picture_tells_how_it_was_made(flux_mock: MockServer, tmp_path: Path) -> None:
    prompt = 'a "medal" <&> 牌 ]]>'
    for kind, name in (("png", "a-1.png"), ("jpeg", "a-1.jpg")):
        folder = tmp_path / kind
        run(flux_mock, folder, [{"id": "a", "prompt": prompt, "output_format": kind, "seed": 7}])
        data = (folder / name).read_bytes()
        if kind == "png":
            from PIL import Image

            with Image.open(folder / name) as image:
                image.load()
                assert image.info["prompt"] == prompt
                assert image.info["seed"] == "7"
        else:
            assert b"a &quot;medal&quot;" in data or b'flux:prompt=\'a "medal"' in data
            assert b"flux:request_id=" in data


def test_nothing_of_the_key_is_in_the_folder(flux_mock: MockServer, tmp_path: Path) -> None:
    flux_mock.scenario("panic", times=2)
    run(flux_mock, tmp_path / "out", medals(5))
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes()


def test_another_program_may_read_the_ledger_while_it_is_written(flux_mock: MockServer, tmp_path: Path) -> None:
    import sqlite3

    flux_mock.reset(latency="10ms")
    done = threading.Event()
    reads: list[int] = []

    def read() -> None:
        while not done.is_set():
            with sqlite3.connect(f"file:{tmp_path / 'out' / 'ledger.sqlite'}?mode=ro", uri=True) as ledger:
                reads.append(ledger.execute("SELECT count(*) FROM item").fetchone()[0])
            ledger.close()

    with FluxImages(KEY, base_url=flux_mock.url) as client, client.batch(medals(60), tmp_path / "out") as batch:
        reader = threading.Thread(target=read)
        reader.start()
        states = {result.state for result in batch}
        done.set()
        reader.join()
    assert states == {"saved"}
    assert set(reads) == {60}


def test_results_are_those_of_the_files(flux_mock: MockServer, tmp_path: Path) -> None:
    _, results = run(flux_mock, tmp_path / "out", medals(1, n=3))
    assert [file.name for file in results[0].files] == ["p0-1.jpg", "p0-2.jpg", "p0-3.jpg"]
    assert results[0].request_id
    assert json.loads(json.dumps(results[0].id)) == "p0"
