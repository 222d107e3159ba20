"""`hw2 export-digits`: the trained DDPM as a folder that diffusers loads without hw2."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hw2.commands import digits_card, model_cards
from hw2.commands.digits_card import Run
from hw2.config.params import Params
from hw2.config.paths import Paths
from hw2.ddpm import hub
from hw2.diffusion.guidance import NO_GUIDANCE, Guidance
from hw2.io import files, manifest
from hw2.io.atomic import atomic_dir
from hw2.runtime.errors import UserError
from hw2.stages.ddpm_sample import chosen_guidance


def run(params: Params, paths: Paths, out: Path, model: Path | None = None) -> None:
    """Write the folder `out`: weights, scheduler, code, manifest and model card.

    The model of the pipeline comes with its guidance and its metrics. Another checkpoint has
    neither, so that its calls are not guided unless they say so.

    Args:
        params: for the model of the pipeline, the parameters of its run.
        paths: where the results of the run are.
        out: a new or empty folder.
        model: a checkpoint; None is the model of the pipeline.

    Raises:
        UserError: if the checkpoint is not valid, or a record of the run is missing.
    """
    source = hub.read(model or paths.ddpm_model)
    guidance, measured = Guidance(NO_GUIDANCE), None
    if model is None:
        guidance = chosen_guidance(paths.ddpm_guidance)
        measured = Run(
            params,
            ddpm=_measured(paths.ddpm_details, source.domains, "ddpm_evaluate"),
            judge=_measured(paths.judge_details, source.domains, "judge_train"),
        )
    steps = min(params.ddpm.sampling.steps, source.diffusion.timesteps)
    card = digits_card.card(
        source, guidance=guidance, steps=steps, run=measured, commit=model_cards.current_commit()
    )
    with atomic_dir(out) as folder:
        hub.write(source, folder, guidance=guidance, steps=steps)
        manifest.write(folder)
        (folder / "README.md").write_text(card, encoding="utf-8")


def _measured(path: Path, domains: tuple[str, ...], stage: str) -> Mapping[str, Any]:
    """Read a record that has a measurement of each domain."""
    record = files.read_json(path)
    for domain in domains:
        if domain not in record:
            raise UserError(f"{path}: no measurement of {domain}; run `dvc repro {stage}`")
    return record
