"""Commands for CLIP and for personalized images."""

import argparse
from pathlib import Path

from hw2.cli import hardware
from hw2.cli.argument_types import absolute_path, model_source, need_among
from hw2.cli.command_list import CommandList
from hw2.commands import inputs, outputs
from hw2.config import params, paths

_INPUT = "name a file in the format of the course's input.json"


def add_commands(commands: CommandList) -> None:
    """Add the commands of this group."""
    commands.group("CLIP and personalized images")
    zero_shot = commands.add(
        "zero-shot",
        "classify a folder of images with CLIP",
        _zero_shot,
        "hw2 zero-shot FOLDER OUT.csv",
        "hw2 zero-shot FOLDER OUT.csv --prompts imagenet80",
    )
    zero_shot.add_argument(
        "folder",
        type=absolute_path,
        metavar="FOLDER",
        help="folder or zip with id2label.json and val/{class}_{id}.png",
    )
    zero_shot.add_argument(
        "out",
        type=absolute_path,
        metavar="OUT.csv",
        help="table to write, with a row for each image",
    )
    zero_shot.add_argument(
        "--model", metavar="NAME", help="a name in clip.zero_shot.models (default: the first)"
    )
    zero_shot.add_argument(
        "--prompts", metavar="NAME",
        help="a prompt set, such as course or imagenet80 (default clip.zero_shot.report_prompts)",
    )  # fmt: skip

    sample = commands.add(
        "sample-personalization",
        "sample 25 images of each prompt of an input.json",
        _sample,
        "hw2 sample-personalization results/personalization/input.json OUT",
        "hw2 sample-personalization input.json OUT sd-v1-4.ckpt --embeddings FOLDER",
    )
    sample.add_argument(
        "input", type=absolute_path, metavar="INPUT.json", help="prompts in the course's format"
    )
    sample.add_argument("out", type=absolute_path, metavar="OUT", help="new folder for the images")
    sample.add_argument(
        "model", nargs="?", type=model_source, metavar="SD",
        help="sd-v1-4.ckpt, a diffusers folder or hub id (default stable_diffusion.weights)",
    )  # fmt: skip
    sample.add_argument(
        "--embeddings",
        type=absolute_path,
        metavar="FOLDER",
        help="folder of .safetensors (default: the pipeline's embeddings)",
    )

    grade = commands.add(
        "grade-personalization",
        "grade the images of sample-personalization by CLIP scores, as the course does",
        _grade,
        "hw2 grade-personalization results/personalization/input.json data/concepts OUT",
    )
    grade.add_argument(
        "input", type=absolute_path, metavar="INPUT.json", help="prompts in the course's format"
    )
    grade.add_argument(
        "references",
        type=absolute_path,
        metavar="REFERENCES",
        help="folder with a folder of photographs for each concept",
    )
    grade.add_argument(
        "images", type=absolute_path, metavar="OUT", help="folder that sample-personalization wrote"
    )
    grade.add_argument(
        "--clip",
        metavar="NAME",
        help="a name in clip.zero_shot.models (default personalization.clip)",
    )


def _remedy(path: Path | None, stage: str) -> str:
    """The remedy for a missing input: that for the user's own, or for the output of a stage."""
    return f"run `dvc repro {stage}`" if path is None else "correct the path"


def _zero_shot(options: argparse.Namespace) -> None:
    from hw2.clip import prompts, weights

    settings, artifacts = params.load(), paths.load()
    outputs.need_file(options.out)
    remedy = "give a folder or zip with id2label.json and val/{class}_{id}.png"
    inputs.need_path(options.folder, remedy)
    section = settings.clip.zero_shot
    models = {model.name: model for model in section.models}
    name = options.model or section.models[0].name
    need_among("--model", name, models, "clip.zero_shot.models")
    prompt_set = options.prompts or section.report_prompts
    known = [*prompts.built_in(), *section.custom_prompts]
    need_among("--prompts", prompt_set, known, "the prompt sets or clip.zero_shot.custom_prompts")
    located = weights.locate(models[name], artifacts.clip_model)  # fails before slow imports
    templates = prompts.select([prompt_set], section.custom_prompts)[prompt_set]

    from hw2.commands import zero_shot

    accuracy = zero_shot.run(
        section,
        located,
        templates,
        folder=options.folder,
        cache=artifacts.clip_feature_cache,
        out=options.out,
        device=hardware.prepare(settings.runtime),
    )
    interval = f"{100 * accuracy.low:.1f} to {100 * accuracy.high:.1f} %"
    print(f"{name}: accuracy {100 * accuracy.value:.1f} % ({interval}) on {accuracy.n} images")
    print(f"predictions are in {options.out}")


def _sample(options: argparse.Namespace) -> None:
    from hw2.personalization import prompt_specs

    settings, artifacts = params.load(), paths.load()
    out = outputs.need_new_folder(options.out, options.working_folder)
    inputs.need_file(options.input, _INPUT)
    embeddings = options.embeddings or artifacts.personalization_embeddings
    inputs.need_folder(embeddings, _remedy(options.embeddings, "personalization_train"))
    prompt_specs.read(options.input)  # fails before slow imports
    stable_diffusion = settings.stable_diffusion
    if options.model is not None:
        stable_diffusion = stable_diffusion.model_copy(
            update={"weights": options.model, "revision": None}
        )

    from hw2.stages import personalization_sample

    count = personalization_sample.run(
        stable_diffusion,
        settings.personalization,
        stable_diffusion_model=artifacts.stable_diffusion_model,
        personalization_embeddings=embeddings,
        personalization_prompts=options.input,
        personalization_images=out,
        device=hardware.prepare(settings.runtime),
    )
    print(f"{count} images in {options.out}")


def _grade(options: argparse.Namespace) -> None:
    settings, artifacts = params.load(), paths.load()
    personalization = settings.personalization
    if options.clip is not None:
        models = {model.name: model for model in settings.clip.zero_shot.models}
        need_among("--clip", options.clip, models, "clip.zero_shot.models")
        personalization = personalization.model_copy(update={"clip": models[options.clip]})
    inputs.need_file(options.input, _INPUT)
    inputs.need_folder(options.references, "name the folder of the photographs")
    inputs.need_folder(options.images, "make it with `hw2 sample-personalization`")

    from hw2.commands import grade_personalization
    from hw2.personalization import grading

    cases = grade_personalization.run(
        personalization,
        clip_model=artifacts.clip_model,
        input_file=options.input,
        references=options.references,
        images=options.images,
        device=hardware.prepare(settings.runtime),
    )
    print(grading.table(cases))
