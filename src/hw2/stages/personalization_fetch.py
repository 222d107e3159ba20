"""Get the photographs of every concept and the prompts that are graded into one folder."""

import shutil
from pathlib import Path

from hw2.config import params
from hw2.io.atomic import atomic_dir
from hw2.personalization import photos, prompt_specs, synthetic
from hw2.runtime.errors import UserError


def run(
    inversion: params.Inversion, shapes: params.Shapes, *, personalization_concepts: Path
) -> None:
    """Write `personalization_concepts`: `{key}/*` for each concept, `masks/{key}/*.png` where
    there are, `input.json`.

    Raises:
        UserError: if photographs are missing or damaged, or the prompts name a concept that
            `inversion.concepts` has not.
    """
    with atomic_dir(personalization_concepts) as folder:
        if inversion.photographs == "embedded":
            synthetic.write(folder, inversion.embedded_photographs, shapes.image_size, shapes.seed)
        else:
            _copy(inversion, Path(inversion.photographs), folder)
        asked = prompt_specs.read(folder / synthetic.INPUT)
        known = {one.token: one.key for one in inversion.concepts}
        for one in asked:
            if known.get(one.token) != one.key:
                raise UserError(
                    f"inversion.concepts: none with key {one.key!r} and token {one.token}, which"
                    " the prompts ask for; add it"
                )
        for concept in inversion.concepts:
            photos.read(folder, concept)


def _copy(inversion: params.Inversion, source: Path, folder: Path) -> None:
    for concept in inversion.concepts:
        for place in (concept.key, f"{synthetic.MASKS}/{concept.key}"):
            if place == concept.key or (source / place).is_dir():
                (folder / place).mkdir(parents=True)
                for path in photos.files_of(source / place):
                    shutil.copyfile(path, folder / place / path.name)
    if inversion.input is None:
        raise UserError("inversion.input: null; name the course's input.json")
    if not Path(inversion.input).is_file():
        raise UserError(f"inversion.input: no file {inversion.input}; correct the path")
    shutil.copyfile(inversion.input, folder / synthetic.INPUT)
