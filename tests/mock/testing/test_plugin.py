"""The pytest plugin, in runs of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

PROGRAM = """
    import httpx

    def draw(url, prompt, timeout=10):
        with httpx.Client(verify=False, timeout=timeout) as client:
            return client.post(
                f"{url}/v1/images/generations",
                headers={"Authorization": "Bearer sk-test"},
                json={"model": "flux", "prompt": prompt},
            )
"""


@pytest.fixture
def run(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder with a small program to test."""
    pytester.makepyfile(draw=PROGRAM)
    pytester.makeini("[pytest]\nfilterwarnings = error\naddopts = --strict-markers")
    return pytester


BOTH = """
    import os
    import pytest
    from draw import draw

    @pytest.fixture(params=["flux_mock", "flux_mock_respx"])
    def mock(request):
        return request.getfixturevalue(request.param)
"""


def test_both_fixtures_offer_the_same(run: pytest.Pytester) -> None:
    """url, requests, bill, scenario, advance and expect, with and without a socket; each test starts as new."""
    run.makepyfile(
        BOTH
        + """
    @pytest.mark.parametrize("again", range(2))
    def test_one(mock, again):
        assert mock.openai_base_url == os.environ["OPENAI_BASE_URL"]
        assert draw(mock.openai_base_url.removesuffix("/v1"), "of OpenAI's").status_code == 200
        mock.reset()
        assert mock.url == os.environ["FLUX_BASE_URL"]
        assert os.environ["FLUX_API_KEY"].startswith("sk-")
        mock.scenario("cloudflare-524", times=1)
        assert [draw(mock.url, p).status_code for p in "ab"] == [524, 200]
        assert mock.bill.pictures == len(mock.requests) == mock.bill["sk-test"] == 2
        mock.expect(prompt="b")
        mock.advance(3600)

    @pytest.mark.flux_mock(scenario="user-quota-exhausted")
    class TestMarked:
        def test_class(self, mock):
            assert draw(mock.url, "a").status_code == 403

        @pytest.mark.flux_mock(scenario="cloudflare-502", rate_limit="1/min")
        def test_closest_wins(self, mock):
            assert draw(mock.url, "a").status_code == 502

    def test_not_marked(mock):
        assert draw(mock.url, "a").status_code == 200
    """
    )
    run.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=10)


def test_a_mock_that_outlasts_a_test(run: pytest.Pytester) -> None:
    """Fixtures of a module or of the session may use it; the mock of single tests is another."""
    run.makepyfile(
        """
        import pytest
        from draw import draw

        @pytest.fixture(scope="module")
        def bought(flux_mock_session):
            draw(flux_mock_session.url, "once")
            return flux_mock_session.bill

        @pytest.mark.parametrize("again", range(2))
        def test_it(bought, flux_mock, again):
            assert bought.pictures == 1
            assert flux_mock.bill.pictures == 0
        """
    )
    run.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)


def test_latency_of_the_marker(run: pytest.Pytester) -> None:
    """Without a socket, a latency beyond the client's patience is a timeout at once."""
    run.makepyfile(
        """
    import httpx
    import pytest
    from draw import draw

    @pytest.mark.flux_mock(latency="8s")
    def test_latency(flux_mock_respx):
        assert draw(flux_mock_respx.url, "a", timeout=9).status_code == 200
        with pytest.raises(httpx.ReadTimeout):
            draw(flux_mock_respx.url, "a", timeout=7)
    """
    )
    run.runpytest_inprocess().assert_outcomes(passed=1)


def test_a_failing_test_prints_its_journal(run: pytest.Pytester) -> None:
    """And its expectation the nearest request; a passing one prints nothing."""
    run.makepyfile(
        """
    from draw import draw

    def test_fails(flux_mock):
        draw(flux_mock.url, "a cat")
        flux_mock.expect(prompt="a dog")

    def test_passes(flux_mock):
        draw(flux_mock.url, "a bird")
    """
    )
    result = run.runpytest_inprocess()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*/prompt: expected 'a dog', got 'a cat'*",
            "*flux mock journal*",
            "*POST /v1/images/* -> 200; billed 1*",
        ]
    )
    result.stdout.no_fnmatch_line("*a bird*")


WRONG_MARKS = [
    ("latecy='8s'", "*unknown option 'latecy'*"),
    ("scenario='nope'", "*the name of a scenario*"),
    ("'8s'", "*keywords only*"),
]


@pytest.mark.parametrize(("arguments", "line"), WRONG_MARKS)
def test_a_wrong_marker_is_an_error(arguments: str, line: str, run: pytest.Pytester) -> None:
    """One that says what is wrong."""
    run.makepyfile(f"import pytest\n\n@pytest.mark.flux_mock({arguments})\ndef test_one(flux_mock): ...")
    result = run.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([line])


def test_options_of_the_whole_run(run: pytest.Pytester) -> None:
    """A fixture in conftest.py gives them."""
    run.makeconftest(
        """
    import pytest

    @pytest.fixture(scope="session")
    def flux_mock_options():
        return {"auth": "gateway", "api_keys": ["sk-only"]}
    """
    )
    run.makepyfile(
        "from draw import draw\n\ndef test_one(flux_mock):\n    assert draw(flux_mock.url, 'a').status_code == 401"
    )
    run.runpytest_inprocess().assert_outcomes(passed=1)


def test_requests_to_other_hosts_are_refused_without_a_socket(run: pytest.Pytester) -> None:
    """No test reaches the network by mistake; the gateway's own address is the mock."""
    run.makepyfile(
        """
    import httpx
    import pytest
    from draw import draw

    def test_one(flux_mock_respx):
        assert draw("https://gnomic.nengyongai.cn", "a").status_code == 200
        with pytest.raises(AssertionError):
            httpx.get("https://elsewhere.example")
    """
    )
    run.runpytest_inprocess().assert_outcomes(passed=1)


def test_applications_in_this_process_are_let_through(run: pytest.Pytester) -> None:
    """The tests of a web service that buys pictures: its own client reaches it, and its calls the mock."""
    run.makepyfile(
        """
    import asyncio
    import httpx
    from draw import draw
    from flux_images import AsyncFluxImages, FluxImages

    async def asgi(scope, receive, send):
        async with AsyncFluxImages() as flux:
            picture = await (await flux.generate("of a service")).image.read()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": picture})

    def wsgi(environ, start_response):
        with FluxImages() as flux:
            picture = flux.generate("of a service").image.read()
        start_response("200 OK", [])
        return [picture]

    def test_asgi(flux_mock_respx):
        async def ask():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(asgi), base_url="http://testserver") as client:
                return await client.get("/")
        assert asyncio.run(ask()).content.startswith(b"\\xff\\xd8")
        flux_mock_respx.expect(prompt="of a service", times=1)

    def test_wsgi(flux_mock_respx):
        with httpx.Client(transport=httpx.WSGITransport(wsgi), base_url="http://testserver") as client:
            assert client.get("/").content.startswith(b"\\xff\\xd8")
        flux_mock_respx.expect(prompt="of a service", times=1)
    """
    )
    run.runpytest_inprocess("-W", "default").assert_outcomes(passed=2)


def test_openai_on_another_transport_reaches_nobody(run: pytest.Pytester) -> None:
    """Its variables lead to this machine."""
    pytest.importorskip("openai", reason="openai is not installed")
    run.makepyfile(
        """
    def test_openai_on_another_transport_reaches_nobody(flux_mock_respx):
        import openai
        import pytest
        with openai.OpenAI(max_retries=0) as client, pytest.raises(openai.APIConnectionError):
            client.images.generate(prompt="a", model="flux")
    """
    )
    run.runpytest_inprocess("-W", "default").assert_outcomes(passed=1)


@pytest.mark.slow
def test_one_server_a_process(run: pytest.Pytester) -> None:
    """Under xdist each worker has its own, and no test sees another's requests."""
    run.makepyfile(
        """
    import pytest
    from draw import draw

    @pytest.mark.parametrize("number", range(20))
    def test_one(flux_mock, number):
        draw(flux_mock.url, str(number))
        assert [request.body["prompt"] for request in flux_mock.requests] == [str(number)]
    """
    )
    run.runpytest_subprocess("-n", "2").assert_outcomes(passed=20)


@pytest.mark.slow
@pytest.mark.parametrize(("fixture", "module"), [("flux_mock", "httptools"), ("flux_mock_respx", "respx")])
def test_what_to_install(fixture: str, module: str, run: pytest.Pytester) -> None:
    """Without its extra the plugin loads, other tests run, and the fixture says what it needs."""
    run.makeconftest(f"import sys\nsys.modules[{module!r}] = None")
    run.makepyfile(f"def test_one({fixture}): ...\n\ndef test_other(): ...")
    result = run.runpytest_subprocess("-p", "no:respx")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([f"*need {module}; try: pip install 'flux-images?pytest?'*"])


HEAVY = ("httptools", "respx", "httpx", "yaml", "PIL", "orjson", "jsonschema_rs")


def test_the_plugin_imports_nothing_by_itself() -> None:
    """A run that doesn't use the fixtures pays for one small module."""
    code = f"import sys, pytest, flux_images_mock._pytest_plugin; print([n for n in {HEAVY!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
