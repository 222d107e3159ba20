"""Collect the photographs of every concept and the graded prompts in one folder."""

import shutil
from pathlib import Path

from hw2.config import params
from hw2.io import manifest
from hw2.io.atomic import atomic_dir
from hw2.personalization import dreambooth, photos, prompt_specs, synthetic
from hw2.runtime.errors import UserError


def run(
    stable_diffusion: params.StableDiffusion,
    personalization: params.Personalization,
    shapes: params.Shapes,
    *,
    raw: Path,
    personalization_concepts: Path,
) -> None:
    """Write the concepts' photographs and prompts to the folder `personalization_concepts`.

    It holds `{key}/*` for each concept, `masks/{key}/*.png` if there are masks, and `input.json`.
    Photographs of the DreamBooth dataset are downloaded into `raw`.

    Raises:
        UserError: if photographs are missing or damaged, if the prompts name a concept that is not
            in `personalization.concepts`, or if Stable Diffusion is a damaged folder.
    """
    manifest.check(Path(stable_diffusion.weights))
    with atomic_dir(personalization_concepts) as folder:
        if personalization.photographs == "synthetic":
            synthetic.write(
                folder, personalization.synthetic_photographs, shapes.image_size, shapes.seed
            )
        elif personalization.photographs == "dreambooth":
            dreambooth.write(folder, raw)
        else:
            _copy(personalization, Path(personalization.photographs), folder)
        specs = prompt_specs.read(folder / synthetic.INPUT)
        key_of_token = {spec.token: spec.key for spec in personalization.concepts}
        for spec in specs:
            if key_of_token.get(spec.token) != spec.key:
                raise UserError(
                    f"personalization.concepts: no concept with key {spec.key!r} and token"
                    f" {spec.token}, which {synthetic.INPUT} names; add it"
                )
        for concept in personalization.concepts:
            photos.read(folder, concept)


def _copy(personalization: params.Personalization, source: Path, folder: Path) -> None:
    for concept in personalization.concepts:
        for subfolder in (concept.key, f"{synthetic.MASKS}/{concept.key}"):
            if subfolder == concept.key or (source / subfolder).is_dir():
                (folder / subfolder).mkdir(parents=True)
                for path in photos.files_of(source / subfolder):
                    shutil.copyfile(path, folder / subfolder / path.name)
    if personalization.input is None:
        raise UserError("personalization.input: null; set it to the course's input.json")
    if not Path(personalization.input).is_file():
        raise UserError(f"personalization.input: no file {personalization.input}; correct the path")
    shutil.copyfile(personalization.input, folder / synthetic.INPUT)
