"""The catalogue: its files, who picks from it, and what a wrong file is told."""

from __future__ import annotations

import asyncio
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

import flux_images_mock
from flux_images_mock import app
from flux_images_mock._answer.answer import KINDS
from flux_images_mock._catalogue import main
from flux_images_mock._description.node import SpecError, read_tree
from tests.mock.asking import KEY, ask, fetch, url_of

if TYPE_CHECKING:
    from flux_images_mock import Mock, MockServer

FOLDER = Path(flux_images_mock.__file__).with_name("scenarios")
GOOD: dict[str, Any] = {
    "name": "mine",
    "imitates": "x",
    "provenance": "gateway-family",
    "at": "edge",
    "status": 418,
    "body": {"tea": "{request_id}"},
}


def _write(folder: Path, value: dict[str, Any]) -> Path:
    (folder / f"{value.get('name', 'mine')}.yaml").write_text(yaml.safe_dump(value))
    return folder


def test_the_format_names_every_fault() -> None:
    """What the format allows is what can be played."""
    assert read_tree(FOLDER / "format.json")["$defs"]["fault"]["enum"] == list(KINDS)


def test_a_user_s_own_scenario(tmp_path: Path) -> None:
    """A folder adds scenarios, and may replace ours."""
    _write(tmp_path, GOOD)
    _write(tmp_path, {**GOOD, "name": "cloudflare-524", "status": 529})
    mock = app(scenarios=[tmp_path])
    transport = httpx.ASGITransport(mock)

    async def call(name: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://mock") as client:
            return await client.post("/v1/anything", headers={"Prefer": f"scenario={name}"})

    assert asyncio.run(call("mine")).status_code == 418
    assert len(asyncio.run(call("mine")).json()["tea"]) > 20
    assert asyncio.run(call("cloudflare-524")).status_code == 529


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"at": "later"}, "/at"),
    ({"status": 99}, "/status"),
    ({"statsu": 200}, "statsu"),
    ({"name": "Not Kebab"}, "/name"),
    ({"fault": "gremlins"}, "/fault"),
    ({"draw": {"n": 1}}, ""),
    ({"seconds": 5}, ""),
    ({"body-base64": "===="}, ""),
    ({"headers": {"X": 1}}, "/headers/X"),
    ({"headers": {"Content-Length": "1"}}, "/headers"),
    ({"headers": {"connection": "close"}}, "/headers"),
]


@pytest.mark.parametrize(("change", "where"), WRONG, ids=str)
def test_a_wrong_file_is_an_error_at_start(change: dict[str, Any], where: str, tmp_path: Path) -> None:
    """The file, the place and the difference are named."""
    with pytest.raises(SpecError) as caught:
        app(scenarios=[_write(tmp_path, {**GOOD, **change})])
    assert str(tmp_path) in str(caught.value)
    assert where in str(caught.value)


def test_a_file_carries_its_own_name(tmp_path: Path) -> None:
    """A file that was copied and not renamed is told so."""
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(GOOD))
    with pytest.raises(SpecError, match="other"):
        app(scenarios=[tmp_path])


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    """A misspelt folder doesn't pass in silence."""
    with pytest.raises(SpecError, match="no folder"):
        app(scenarios=[tmp_path / "none"])


def test_the_strongest_picks(either: Mock) -> None:
    """Prefer, then what was queued, then the token, then the mock's own."""
    either.reset(scenario="cloudflare-520")
    assert ask(either).status_code == 520
    assert ask(either, key="sk-mock-cloudflare-502").status_code == 502
    either.scenario("cloudflare-504", times=2)
    assert ask(either, key="sk-mock-cloudflare-502").status_code == 504
    assert ask(either, headers={"Prefer": "scenario=cloudflare-524"}).status_code == 524
    assert ask(either).status_code == 504
    assert ask(either).status_code == 520


def test_queued_scenarios_come_in_order(either: Mock) -> None:
    """Those with a number first, each so often; then the lasting one."""
    either.scenario("cloudflare-524")
    either.scenario("cloudflare-502", times=1)
    either.scenario("user-quota-exhausted", times=2)
    assert [ask(either).status_code for _ in range(5)] == [502, 403, 403, 524, 524]


@pytest.mark.parametrize(("name", "times"), [("cloudflare-525", None), ("cloudflare-524", 0)])
def test_what_can_t_be_queued(name: str, times: int | None, mock: MockServer) -> None:
    """Unknown names are refused with those that come near."""
    with pytest.raises(ValueError, match=r"cloudflare-524|1 or more"):
        mock.scenario(name, times)


def test_an_unknown_preference_is_a_400(mock: MockServer) -> None:
    """The caller learns which names come near."""
    answer = ask(mock, headers={"Prefer": "scenario=clodflare-524"})
    assert answer.status_code == 400
    assert "cloudflare-524" in answer.json()["error"]["message"]


def test_the_stages(mock: MockServer) -> None:
    """`edge` strikes before the route, `after-auth` needs a key, `after-validation` a valid request."""
    with httpx.Client(base_url=mock.url, trust_env=False) as client:
        assert client.get("/nowhere", headers={"Prefer": "scenario=cloudflare-502"}).status_code == 502
        no_key = client.post("/v1/images/generations", json={}, headers={"Prefer": "scenario=rate-limited-empty"})
    assert no_key.status_code == 401
    assert ask(mock, prompt="", headers={"Prefer": "scenario=rate-limited-empty"}).status_code == 429
    assert ask(mock, prompt="", headers={"Prefer": "scenario=cloudflare-524"}).status_code == 400


def test_retry_after_as_a_date(mock: MockServer) -> None:
    """The date is half a minute ahead by the mock's clock."""
    mock.advance(86400)
    answer = ask(mock, headers={"Prefer": "scenario=rate-limited-date"})
    ahead = parsedate_to_datetime(answer.headers["Retry-After"]).timestamp() - mock.app.state.run.now()
    assert 25 < ahead <= 30


def test_what_the_gateway_changes_on_the_way(mock: MockServer) -> None:
    """Fewer pictures come, or of another ratio, though all that was asked for is billed."""
    fewer = ask(mock, n=3, headers={"Prefer": "scenario=fewer-pictures"})
    assert len(fewer.json()["data"]) == 1
    assert mock.bill.pictures == 3
    square = ask(mock, aspect_ratio="21:9", output_format="png", headers={"Prefer": "scenario=aspect-ratio-dropped"})
    header = fetch(url_of(square)).content[:24]
    assert header[16:20] == header[20:24]


FILES = [("url-expired", 403, None), ("url-forbidden", 403, None), ("picture-html", 200, "text/html; charset=utf-8")]


@pytest.mark.parametrize(("name", "status", "media_type"), FILES)
def test_pictures_that_fail(name: str, status: int, media_type: str | None, either: Mock) -> None:
    """The answer is good, and its address isn't."""
    answer = fetch(url_of(ask(either, headers={"Prefer": f"scenario={name}"})))
    assert answer.status_code == status
    assert media_type in (None, answer.headers["content-type"])


def test_a_large_picture(mock: MockServer) -> None:
    """20 MiB, and whole."""
    answer = fetch(url_of(ask(mock, headers={"Prefer": "scenario=picture-20-mib"})))
    assert len(answer.content) >= 20 * 1024 * 1024


def test_a_cut_picture_says_that_all_is_well(mock: MockServer) -> None:
    """Half of the file comes, with a length that fits it."""
    cut = fetch(url_of(ask(mock, headers={"Prefer": "scenario=picture-cut"})))
    whole = fetch(url_of(ask(mock)))
    assert cut.content == whole.content[: len(whole.content) // 2]
    assert int(cut.headers["content-length"]) == len(cut.content)


def test_a_scenario_is_in_the_journal(either: Mock) -> None:
    """With what it cost."""
    ask(either, headers={"Prefer": "scenario=cloudflare-524"})
    request = either.requests[-1]
    assert (request.scenario, request.status, request.billed) == ("cloudflare-524", 524, 1)
    assert either.bill[KEY] == 1


def test_the_command_lists_and_shows(capsys: pytest.CaptureFixture[str]) -> None:
    """Each scenario is listed with what it imitates; one is printed as a file that could be read again."""
    assert main([]) == 0
    listed = {line.split()[0] for line in capsys.readouterr().out.splitlines()}
    assert {"cloudflare-524", "empty-object", "user-quota-exhausted", "upstream-saturated"} <= listed
    for name in ("cloudflare-524", "empty-object"):
        assert main(["show", name]) == 0
        assert yaml.safe_load(capsys.readouterr().out)["name"] == name


def test_every_scenario_can_be_shown() -> None:
    """As a file of the format, one made from an example too."""
    for scenario in app().engine.scenarios:
        shown = yaml.safe_load(scenario.text)
        assert (shown["name"], shown["at"], bool(shown["imitates"])) == (scenario.name, scenario.at, True)


def test_the_command_on_an_unknown_name(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, with names that come near, and exit code 2."""
    assert main(["show", "cloudflare"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
