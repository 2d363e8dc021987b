"""Saving what was paid for: where it was asked for, else under another name, else elsewhere."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from flux_images._cli.show import Lost, Picture
from flux_images._errors import ConfigurationError, FluxImagesError, UnexpectedResponseError
from flux_images._picture.save import KINDS, check_target, free_target

if TYPE_CHECKING:
    from flux_images import Image
    from flux_images._request.key import Key

STANDARD_OUTPUT = Path("-")


def targets_for(output: Path | None, name: str, count: int, *, overwrite: bool, as_json: bool) -> list[Path]:
    """Where the pictures will go, looked at before any is bought; without ``output`` a free name in this folder.

    Raises:
        ConfigurationError: they could not be saved there.
    """
    if output == STANDARD_OUTPUT:
        if count > 1 or as_json or sys.stdout.isatty():
            raise ConfigurationError("--output -: give one picture to a file or a program, without --json")
        return [STANDARD_OUTPUT]
    number = 1
    while True:
        path = output or Path(name if number == 1 else f"{name}-{number}")
        try:
            return check_target(path, n=count, overwrite=overwrite and output is not None)
        except FileExistsError as error:
            if output is not None:
                raise ConfigurationError(str(error)) from None
            number += 1
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"--output: {error}") from None


class Keeper:
    """Saves pictures, and remembers what there is to say of them."""

    def __init__(self, key: Key, *, overwrite: bool) -> None:
        self.pictures: list[Picture] = []
        self.lost: list[Lost] = []
        self.notes: list[str] = []
        self.moved = False
        """Whether a picture is not where it was asked for, as it could not be written there."""
        self._key = key
        self._overwrite = overwrite

    def keep(self, image: Image, path: Path) -> None:
        """Save a picture; what goes wrong is remembered, as the others are paid for as well."""
        try:
            self._keep(image, path)
        except UnexpectedResponseError as error:
            folder = Path(tempfile.mkdtemp(prefix="flux-images-"))
            there = image.save(folder / "picture", check=False)
            self.lose(image, path, type(error).__name__, f"{error}; what came is in {there}")
        except (FluxImagesError, OSError) as error:
            self.lose(image, path, type(error).__name__, str(error))

    def lose(self, image: Image, path: Path, kind: str, why: str) -> None:
        """Remember a picture that is not saved, with its address; a gateway may have echoed the key in that."""
        self.lost.append(Lost(path, self._key.redact(image.url or ""), kind, self._key.redact(why)))

    def _keep(self, image: Image, path: Path) -> None:
        media_type, target = image.media_type, path
        if KINDS.get(path.suffix.lower(), media_type) != media_type:
            target = free_target(path, media_type)
        try:
            saved = _write(image, target, overwrite=self._overwrite)
        except OSError as error:
            self.notes.append(self._elsewhere(image, target, error))
            return
        if target != path:
            self.notes.append(f"the gateway drew {media_type}, so {path} is {saved}")
        if saved != STANDARD_OUTPUT:
            self.pictures.append(Picture.of(image, saved))

    def _elsewhere(self, image: Image, target: Path, error: OSError) -> str:
        """Save in the system's folder for temporary files; raises ``error`` where that fails too."""
        try:
            folder = Path(tempfile.mkdtemp(prefix="flux-images-"))
            saved = image.save(folder / ("picture" if target == STANDARD_OUTPUT else target.name), overwrite=False)
        except OSError:
            raise error from None
        self.pictures.append(Picture.of(image, saved))
        self.moved = True
        return self._key.redact(f"{target} cannot be written ({error}); the picture is in {saved}")


def _write(image: Image, target: Path, *, overwrite: bool) -> Path:
    if target != STANDARD_OUTPUT:
        return image.save(target, overwrite=overwrite)
    sys.stdout.buffer.write(image.read())
    sys.stdout.buffer.flush()
    return target
