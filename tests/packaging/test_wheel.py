"""What a user installs: the wheel alone, in an environment of its own, with the source out of sight."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from flux_images_mock import MockServer

ROOT = Path(__file__).parents[2]
PACKAGES = {"flux_images", "flux_images_api", "flux_images_mock"}

pytestmark = pytest.mark.slow


def _run(*command: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    words = [str(part) for part in command]
    environment = {"PATH": "/usr/bin:/bin", **variables}
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist, built from this checkout without the network."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    """The wheel."""
    return next(dist.glob("*.whl"))


def _closure(extras: set[str]) -> set[str]:
    """The distributions that the package needs with some extras, as installed here."""
    found: set[str] = set()
    waiting = [("flux-images", extras)]
    while waiting:
        name, wanted = waiting.pop()
        for line in distribution(name).requires or []:
            needed = Requirement(line)
            applies = any(needed.marker is None or needed.marker.evaluate({"extra": extra}) for extra in {"", *wanted})
            if applies and needed.name not in found:
                found.add(needed.name)
                waiting.append((needed.name, set(needed.extras)))
    return found - {"flux-images"}


def _environment(folder: Path, wheel: Path, extras: set[str]) -> Path:
    """A new environment with the wheel and what it needs, and nothing else; returns its folder of commands."""
    venv.create(folder)
    site = next(folder.glob("lib/python*/site-packages"))
    for name in _closure(extras):
        for file in distribution(name).files or []:
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = site / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file.locate()), target)
    commands = folder / "bin"
    pip = [sys.executable, "-m", "pip", "--python", str(commands / "python"), "install", "--no-deps", "--no-index"]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    return commands


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel without extras."""
    return _environment(tmp_path_factory.mktemp("bare"), wheel, set())


@pytest.fixture(scope="module")
def full(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel with the extras for the command line and the mock."""
    return _environment(tmp_path_factory.mktemp("full"), wheel, {"cli", "mock"})


def test_wheel_holds_the_three_packages_and_nothing_else(wheel: Path) -> None:
    """No stray top-level name is importable after an install."""
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.partition("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == PACKAGES
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)
    assert any(name.startswith("flux_images_mock/scenarios/") for name in names)


def test_wheel_carries_the_contract(wheel: Path) -> None:
    """The packaged copy of the contract is the repository's, byte for byte."""
    packaged = zipfile.ZipFile(wheel).read("flux_images_mock/openapi.yaml")
    assert packaged == (ROOT / "openapi.yaml").read_bytes()


def test_wheel_names_only_python_versions_that_ci_runs(wheel: Path) -> None:
    """The classifiers are the versions in .ci/run."""
    name = next(name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("METADATA"))
    metadata = zipfile.ZipFile(wheel).read(name).decode()
    claimed = re.findall(r"Python :: (3\.\d+)", metadata)
    ran = re.findall(r"^for version in (.*); do$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert claimed == ran[0].split()


def test_sdist_builds_the_same_and_carries_no_environment(dist: Path) -> None:
    """The source archive has the contract and the generator's settings, and no local folder of tools."""
    with tarfile.open(next(dist.glob("*.tar.gz"))) as archive:
        paths = {name.partition("/")[2] for name in archive.getnames()}
    assert {"openapi.yaml", "codegen/edits.py", "src/flux_images/__init__.py"} <= paths
    assert not [path for path in paths if ".venv" in path or "__pycache__" in path]


def test_bare_install_imports_the_sdk_alone(bare: Path, tmp_path: Path) -> None:
    """Without extras the SDK and the generated client import, and bring no optional package in."""
    code = "import sys, flux_images, flux_images_api.api.images.create_image; print(*sorted(sys.modules))"
    done = _run(bare / "python", "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not {"rich", "PIL", "pytest", "httptools", "yaml", "flux_images_mock"} & set(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "extras"),
    [(["generate", "x"], "cli"), (["batch", "x", "-o", "y"], "cli"), (["demo"], "cli,mock"), (["mock"], "cli,mock")],
)
def test_bare_command_names_its_extra(words: list[str], extras: str, bare: Path, tmp_path: Path) -> None:
    """Without its extra the command says in one line what to install."""
    done = _run(bare / "flux-images", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert f"pip install 'flux-images[{extras}]'" in line


@pytest.mark.parametrize(("words", "code"), [(["--help"], 0), (["generate", "--help"], 0), (["--version"], 0), ([], 2)])
def test_help_needs_no_extra(words: list[str], code: int, bare: Path, tmp_path: Path) -> None:
    """Nor does the word that a command is missing."""
    done = _run(bare / "flux-images", *words, cwd=tmp_path)
    assert done.returncode == code
    assert "flux-images" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_demo_works_without_the_source(full: Path, tmp_path: Path) -> None:
    """From an empty folder the demo draws three pictures in three ratios."""
    done = _run(full / "flux-images", "demo", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    images = json.loads(done.stdout)["images"]
    assert len({image["width"] / image["height"] for image in images}) == 3
    for image in images:
        content = (tmp_path / image["path"]).read_bytes()
        assert len(content) == image["bytes"]
        assert content.startswith(b"\x89PNG")


def test_mock_starts_without_the_source(full: Path, tmp_path: Path) -> None:
    """The mock's command line works from the wheel, by both of its names."""
    commands: list[list[str | Path]] = [[full / "flux-images", "mock"], [full / "python", "-m", "flux_images_mock"]]
    for command in commands:
        done = _run(*command, "--help", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "--spec" in done.stdout


A_TEST = """
import httpx
import pytest


@pytest.mark.parametrize("fixture", ["flux_mock", "flux_mock_respx"])
def test_no_key(fixture, request):
    mock = request.getfixturevalue(fixture)
    assert httpx.post(f"{mock.url}/v1/images/generations", json={}).status_code == 401
"""


def test_pytest_fixtures_work_without_the_source(wheel: Path, tmp_path: Path) -> None:
    """With the extra `pytest` both fixtures are there, with no plugin to name and no option to set."""
    commands = _environment(tmp_path / "environment", wheel, {"pytest"})
    (tmp_path / "test_mine.py").write_text(A_TEST)
    done = _run(commands / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py", cwd=tmp_path)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_check_works_without_the_source(full: Path, tmp_path: Path) -> None:
    """`flux-images check` of the wheel spends what it is allowed to, as the gateway's bill shows, and reports it."""
    words = ["--api-key-env", "KEY", "--allow-paid", "2", "--html", "check.html", "--junit", "check.xml", "--json"]
    with MockServer(api_keys=["sk-wheel"]) as gateway:
        done = _run(full / "flux-images", "check", "--base-url", gateway.url, *words, cwd=tmp_path, KEY="sk-wheel")
        assert gateway.bill.pictures == 2
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["calls_that_may_cost"] == 2
    assert {path.name for path in tmp_path.iterdir()} == {"check.html", "check.xml"}
