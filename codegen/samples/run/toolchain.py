"""How each language is compiled and run; what brings its tools stands in the file `toolchains`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
WRAPPERS = HERE / "wrappers"
DART = HERE.parent / "node_modules" / ".dart" / "dart"


class Toolchain(NamedTuple):
    """Commands in which {file} is the sample, wrapped, in the working folder; the last one sends.

    ``local`` are the replacements that let a sample for https talk to a server without TLS.
    """

    file: str
    commands: tuple[str, ...]
    wrapper: str | None = None
    local: tuple[tuple[str, str], ...] = ()


JARS = "/usr/share/java/okhttp.jar:/usr/share/java/okio.jar"
TOOLCHAINS = {
    "shell": Toolchain("sample.sh", ("bash {file}",)),
    "javascript": Toolchain("sample.js", ("node {file}",)),
    "java": Toolchain("Main.java", (f"javac -encoding UTF-8 -cp {JARS} {{file}}", f"java -cp {JARS}:. Main")),
    "go": Toolchain("sample.go", ("go run {file}",)),
    "php": Toolchain("sample.php", ("php {file}",)),
    "python": Toolchain("sample.py", (f"{sys.executable} {{file}}",)),
    "http": Toolchain("sample.http", (f"{sys.executable} {WRAPPERS}/send_http.py {{file}}",)),
    "c": Toolchain("sample.c", ("gcc {file} -o sample -lcurl", "./sample")),
    "csharp": Toolchain(
        "sample.cs",
        ("mcs -langversion:latest -r:System.Net.Http.dll {file} -out:sample.exe", "mono sample.exe"),
        "csharp.cs",
    ),
    "objective-c": Toolchain(
        "sample.m",
        (
            "clang -w -fblocks -fobjc-runtime=gcc -fconstant-string-class=NSConstantString"
            f" -include {WRAPPERS}/foundation.h -I{WRAPPERS} -I/usr/include/GNUstep -I{{gcc}}/include"
            " {file} -o sample -L{gcc} -lgnustep-base -lobjc -lBlocksRuntime",
            "./sample",
        ),
    ),
    "ruby": Toolchain("sample.rb", ("ruby {file}",), local=(("https.use_ssl = true\n", ""),)),
    "ocaml": Toolchain(
        "sample.ml", ("ocamlfind ocamlopt -thread -w -a -linkpkg -package cohttp-lwt-unix {file} -o sample", "./sample")
    ),
    "dart": Toolchain("sample.dart", (f"{DART} --packages=packages.json {{file}}",)),
    "r": Toolchain("sample.r", ("Rscript {file}",)),
}
"""Swift has none here: see `swift.py`."""


def missing(language: str) -> str | None:
    """Name what has to be installed before samples of this language run, or nothing."""
    for line in (HERE.parent / "toolchains").read_text("utf-8").splitlines():
        if line.startswith("#") or line.split()[0] != language:
            continue
        _, probes, source, packages = line.split(maxsplit=3)
        if not all(_there(probe) for probe in probes.split(",")):
            return f"{source}: {packages}"
    return None


def _there(probe: str) -> bool:
    if "/" in probe:
        folder, pattern = (Path("/"), probe[1:]) if probe.startswith("/") else (HERE.parent, probe)
        return any(folder.glob(pattern))
    return probe == "-" or shutil.which(probe) is not None
