"""Learn every concept's token by textual inversion, monitored on validation prompts."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hw2.clip import model as clip_models
from hw2.clip import weights
from hw2.config import params
from hw2.io import files
from hw2.io.atomic import atomic_dir, atomic_path
from hw2.personalization import graded_images, grading, photos, prompt_specs, tokens
from hw2.personalization.clip_scores import Scorer
from hw2.personalization.photos import Concept
from hw2.personalization.prompt_specs import PromptSpec
from hw2.personalization.synthetic import INPUT
from hw2.personalization.textual_inversion import InversionResult, identity, invert
from hw2.runtime.progress import progress
from hw2.stable_diffusion import load, sample
from hw2.training import processes
from hw2.training.session import Session


def run(
    stable_diffusion: params.StableDiffusion,
    personalization: params.Personalization,
    *,
    stable_diffusion_model: Path,
    clip_model: Path,
    personalization_concepts: Path,
    personalization_embeddings: Path,
    personalization_history: Path,
    personalization_snapshots: Path,
    personalization_prompts: Path,
    personalization_initializers: Path,
    checkpoints: Path,
    device: torch.device,
) -> None:
    """Write the embeddings, the history, the snapshots, and prompts and images for the grading.

    personalization_embeddings: `{key}.safetensors`, which `pipe.load_textual_inversion` reads.
    personalization_history: a row for each concept and step: the loss and, at snapshots, the
        validation scores.
    personalization_snapshots: arrays `{key}_strips` uint8 (snapshots, images, S, S, 3),
        `{key}_steps`, `{key}_chosen` and `{key}_references`.
    personalization_prompts: the concepts' input.json, with baselines added where it has none.
    personalization_initializers: images of the graded prompts with the initializer in the place of
        the token, in the layout of the graded images.

    Raises:
        UserError: if a token or an initializer does not fit the model's vocabulary, or a prompt
            is too long, or has a token that is not among the concepts.
    """
    located = weights.locate(personalization.clip, clip_model)
    pipe = load.load(stable_diffusion, stable_diffusion_model, device)
    sample.use_sampler(pipe, personalization.sampling.sampler)
    concepts = [photos.read(personalization_concepts, spec) for spec in personalization.concepts]
    for spec in personalization.concepts:  # reports errors before anything slow
        tokens.initial_embedding(pipe, spec.initializer, spec.vectors)
    input_file = personalization_concepts / INPUT
    specs = prompt_specs.read(input_file)
    of_token = {spec.token: spec for spec in personalization.concepts}
    tokens.check_learned(specs, of_token, input_file)
    for prompts in specs:
        concept = of_token[prompts.token]
        words = tokens.stand_in(pipe, concept.initializer, concept.vectors)
        tokens.check_length(pipe, prompts, input_file, words)
    scorer = Scorer(clip_models.load(located, device))
    model = load.digest(pipe)
    with Session(checkpoints) as session:
        results = [
            invert(
                pipe,
                concept,
                personalization,
                scorer,
                session.resume(identity(personalization, concept.spec, model), concept.spec.key),
            )
            for concept in concepts
        ]
        processes.end_all_but_first()
        with atomic_dir(personalization_embeddings) as folder:
            for result in results:
                spec = result.concept.spec
                tokens.save(folder / f"{spec.key}.safetensors", spec.token, result.rows)
        files.write_table(
            personalization_history, [row for result in results for row in _rows(result)]
        )
        files.save_arrays(personalization_snapshots, **_arrays(results))
        with atomic_dir(personalization_initializers) as folder:
            scores = _draw_initializers(pipe, specs, concepts, personalization, scorer, folder)
        with atomic_path(personalization_prompts) as temporary:
            completed = prompt_specs.completed(input_file, scores)
            temporary.write_text(json.dumps(completed, indent=2) + "\n", encoding="utf-8")


def _draw_initializers(
    pipe: Any,
    specs: Sequence[PromptSpec],
    concepts: Sequence[Concept],
    personalization: params.Personalization,
    scorer: Scorer,
    folder: Path,
) -> dict[str, list[tuple[float, float]]]:
    """Draw the prompts with the initializer into `folder`; returns the graded scores by token."""
    total = sum(len(spec.prompts) for spec in specs) * grading.IMAGES
    scores: dict[str, list[tuple[float, float]]] = {}
    with progress(total, "initializers", unit="image") as bar:
        for spec in specs:
            concept = next(c for c in concepts if c.spec.token == spec.token)
            references, word = scorer.features(concept.images), concept.spec.initializer
            scores[spec.token] = []
            for index, eval_prompt in enumerate(spec.eval_prompts):
                images = graded_images.draw(
                    pipe, spec, index, personalization, word=word, tick=bar.update
                )
                graded_images.write(folder, spec.key, index, images)
                graded = scorer.image_and_text(list(images), references, eval_prompt)
                scores[spec.token].append(grading.best_means(*graded))
    return scores


def _rows(result: InversionResult) -> list[dict[str, Any]]:
    spec, snapshots = result.concept.spec, result.snapshots
    scores = {
        step: (image, text)
        for step, image, text in zip(snapshots.steps, snapshots.image, snapshots.text, strict=True)
    }
    losses = {0: None} | {int(row["step"]): row["loss"] for row in result.history}
    return [
        {
            "concept": spec.key,
            "step": step,
            "loss": losses.get(step),
            "image": scores[step][0] if step in scores else None,
            "text": scores[step][1] if step in scores else None,
            "chosen": step == result.chosen,
        }
        for step in sorted({*losses, *scores})
    ]


def _arrays(results: list[InversionResult]) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    for result in results:
        key = result.concept.spec.key
        arrays[f"{key}_strips"] = np.stack([strip.numpy() for strip in result.snapshots.strips])
        arrays[f"{key}_steps"] = np.array(result.snapshots.steps)
        arrays[f"{key}_chosen"] = np.array(result.chosen)
        side = result.snapshots.strips[0].shape[1]
        shown = [photos.squared(image, side) for image in result.concept.images[:5]]
        arrays[f"{key}_references"] = np.stack(shown)
    return arrays
