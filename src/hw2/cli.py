"""The command line `hw2`: configure the pipeline, and use its trained models.

Commands import what computes only when they run, so that help and errors appear at once.
"""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from hw2.config import loader, params, params_file, paths, profiles
from hw2.runtime import device
from hw2.runtime.errors import UserError
from hw2.runtime.progress import ConsoleHandler


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, or 2 for an error that the user can fix."""
    options = _parser().parse_args(arguments)
    handler = ConsoleHandler()
    logging.getLogger().addHandler(handler)
    logging.getLogger("hw2").setLevel(logging.INFO)
    try:
        os.chdir(_root())
        options.function(options)
    except UserError as error:
        print(f"hw2 {options.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    finally:
        logging.getLogger().removeHandler(handler)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hw2",
        description="Configure the pipeline, and use its trained models.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = _Commands(parser)
    commands.group("configure and plan a run")
    _add_configuration(commands)
    commands.group("get and check data")
    _add_data(commands)
    commands.group("digits")
    _add_digits(commands)
    commands.group("faces")
    _add_faces(commands)
    commands.group("CLIP and personalized images")
    _add_clip(commands)
    commands.finish()
    return parser


class _Commands:
    """Subcommands of a parser, listed in its help by group."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parser = parser
        self._subparsers = parser.add_subparsers(
            dest="command", required=True, metavar="COMMAND", help="one of the commands below"
        )
        self._lines: list[str] = []

    def group(self, title: str) -> None:
        """Start a group: commands that are added next are listed below this title."""
        self._lines += ["", f"{title}:"]

    def add(
        self, name: str, summary: str, function: Callable[[argparse.Namespace], None]
    ) -> argparse.ArgumentParser:
        """Add a command that calls `function` with the parsed options."""
        self._lines.append(f"  {name:<24}{summary}")
        parser = self._subparsers.add_parser(
            name, description=f"{summary[:1].upper()}{summary[1:]}."
        )
        parser.set_defaults(function=function)
        return parser

    def finish(self) -> None:
        """Write the groups into the help of the parser."""
        hint = "Run `hw2 COMMAND --help` for the arguments of a command."
        self._parser.epilog = "\n".join([*self._lines[1:], "", hint])


def _add_configuration(commands: _Commands) -> None:
    profile = commands.add("profile", "list profiles, or write one into params.yaml", _profile)
    profile.add_argument("name", nargs="?", help="name of a profile; omit it to list them")
    profile.add_argument(
        "values", nargs="*", type=_value, metavar="KEY=VALUE", help="further values to write"
    )
    parameters = commands.add(
        "params", "check that params.yaml and its JSON schema are up to date", _params
    )
    parameters.add_argument(
        "--write", action="store_true", help="regenerate the comments and the JSON schema"
    )
    plan = commands.add("plan", "list how many stages will run and how long they will take", _plan)
    plan.add_argument("--record", action="store_true", help="store the times of the last run")


def _add_data(commands: _Commands) -> None:
    commands.add("fetch", "download the data of data.source, or report what exists", _fetch)
    check = commands.add("check-data", "check the digits of an hw2_data folder or zip", _check_data)
    check.add_argument("path", type=_absolute, metavar="PATH", help="folder or zip")
    check.add_argument(
        "--test-labels", action="store_true", help="test.csv holds labels, not a form to fill in"
    )


def _add_digits(commands: _Commands) -> None:
    digits = commands.add("digits", "sample digits into the folders that the grader reads", _digits)
    digits.add_argument("out", type=_absolute, metavar="OUT", help="folder for the images")
    digits.add_argument("--count", type=int, default=50, help="images of each digit (default 50)")

    predict = commands.add("predict", "classify the digits in a folder of images", _predict)
    predict.add_argument("folder", type=_absolute, metavar="FOLDER", help="folder of images")
    predict.add_argument(
        "out", type=_absolute, metavar="OUT.csv", help="table to write: image_name, label"
    )
    predict.add_argument("--target", required=True, help="domain of the images: svhn or usps")
    predict.add_argument(
        "--method", default="self_training", help="method of dann.methods (default self_training)"
    )


def _add_faces(commands: _Commands) -> None:
    faces = commands.add("faces", "sample a face for each noise in a folder, with DDIM", _faces)
    faces.add_argument(
        "noise", type=_absolute, metavar="NOISE", help="folder with 00.pt, 01.pt ..."
    )
    faces.add_argument("out", type=_absolute, metavar="OUT", help="folder for 00.png, 01.png ...")
    faces.add_argument(
        "model", nargs="?", type=_model, metavar="UNET",
        help="the course's UNet.pt, a diffusers folder or hub id (default: the pipeline's model)",
    )  # fmt: skip
    faces.add_argument("--steps", type=int, help="sampling steps (default faces.ddim.steps)")
    faces.add_argument("--eta", type=float, help="fresh noise, 0 to 1 (default faces.ddim.eta)")
    faces.add_argument(
        "--timestep-spacing",
        help="course, leading or trailing (default faces.ddim.timestep_spacing)",
    )

    mse = commands.add(
        "mse", "compare sampled faces with the ground truth, as the course does", _mse
    )
    mse.add_argument("out", type=_absolute, metavar="OUT", help="folder with 00.png, 01.png ...")
    mse.add_argument("truth", type=_absolute, metavar="GT", help="folder with the same files")


def _add_clip(commands: _Commands) -> None:
    zero_shot = commands.add("zero-shot", "classify a folder of images with CLIP", _zero_shot)
    zero_shot.add_argument(
        "folder", type=_absolute, metavar="FOLDER", help="id2label.json and val/{class}_{id}.png"
    )
    zero_shot.add_argument(
        "out", type=_absolute, metavar="OUT.csv", help="table to write, with a row for each image"
    )
    zero_shot.add_argument("--model", help="a name in clip.zero_shot.models (default: the first)")
    zero_shot.add_argument("--prompts", help="a prompt set (default clip.zero_shot.report_prompts)")

    sample = commands.add(
        "sample-personalization", "sample 25 images of each prompt of an input.json", _sample
    )
    sample.add_argument(
        "input", type=_absolute, metavar="INPUT.json", help="prompts in the course's format"
    )
    sample.add_argument("out", type=_absolute, metavar="OUT", help="folder for the images")
    sample.add_argument(
        "model", nargs="?", type=_model, metavar="SD",
        help="sd-v1-4.ckpt, a diffusers folder or hub id (default stable_diffusion.weights)",
    )  # fmt: skip
    sample.add_argument(
        "--embeddings",
        type=_absolute,
        help="folder of .safetensors (default: the pipeline's embeddings)",
    )

    grade = commands.add("grade-personalization", "grade these images as the course does", _grade)
    grade.add_argument(
        "input", type=_absolute, metavar="INPUT.json", help="prompts in the course's format"
    )
    grade.add_argument(
        "references",
        type=_absolute,
        metavar="REFERENCES",
        help="folder with a folder of photographs for each concept",
    )
    grade.add_argument(
        "images", type=_absolute, metavar="OUT", help="folder that sample-personalization wrote"
    )
    grade.add_argument(
        "--clip", help="a name in clip.zero_shot.models (default personalization.clip)"
    )


def _profile(options: argparse.Namespace) -> None:
    if options.name is None:
        active = params.load().profile
        print("\n".join(f"{'*' if name == active else ' '} {name}" for name in profiles.names()))
    else:
        profiles.apply(options.name, values=dict(options.values))
        print(f"params.yaml now has the values of profile {options.name}")
        print("".join(f"{key}: {value}\n" for key, value in options.values), end="")


def _params(options: argparse.Namespace) -> None:
    if options.write:
        params_file.write()
        print(f"params.yaml and {params_file.SCHEMA} are up to date")
    else:
        params_file.check()
        print(f"params.yaml and {params_file.SCHEMA} match src/hw2/config/schema")


def _fetch(options: argparse.Namespace) -> None:
    from hw2.stages import digits_fetch

    data = params.load().data
    print(digits_fetch.obtain(data, raw=paths.load().raw))


def _digits(options: argparse.Namespace) -> None:
    from hw2.commands import digits

    settings, artifacts = params.load(), paths.load()
    device.use_threads(settings.runtime.threads)
    count = digits.run(
        settings.ddpm.sampling,
        model=artifacts.ddpm_model,
        guidance=artifacts.ddpm_guidance,
        out=options.out,
        count=options.count,
        device=device.choose(settings.runtime.device),
    )
    print(f"{count} images in {options.out}")


def _check_data(options: argparse.Namespace) -> None:
    from hw2.commands import check_data
    from hw2.digits import faults

    table, problems = check_data.run(options.path, test_labels=options.test_labels)
    print(table, flush=True)  # before the faults, which go to stderr
    if problems:
        lines = [f"{options.path}:", *map(str, problems), faults.summary(problems)]
        raise UserError("\n".join(lines))
    print("no problems found")


def _predict(options: argparse.Namespace) -> None:
    from hw2.commands import predict

    settings, artifacts = params.load(), paths.load()
    device.use_threads(settings.runtime.threads)
    count = predict.run(
        settings.dann,
        models=artifacts.dann_models,
        folder=options.folder,
        out=options.out,
        target=options.target,
        method=options.method,
        device=device.choose(settings.runtime.device),
    )
    print(f"classified {count} images; predictions are in {options.out}")


def _faces(options: argparse.Namespace) -> None:
    from hw2.commands import faces

    settings, artifacts = params.load(), paths.load()
    overrides = {key: getattr(options, key) for key in ("steps", "eta", "timestep_spacing")}
    overrides = {key: value for key, value in overrides.items() if value is not None}
    ddim = loader.parse(params.Ddim, settings.faces.ddim.model_dump() | overrides, "hw2 faces")
    device.use_threads(settings.runtime.threads)
    count = faces.run(
        ddim,
        noise=options.noise,
        out=options.out,
        model=options.model or str(artifacts.faces_model),
        device=device.choose(settings.runtime.device),
    )
    print(f"{count} images in {options.out}")


def _mse(options: argparse.Namespace) -> None:
    from hw2.faces import ground_truth

    print(ground_truth.table(ground_truth.run(options.out, options.truth)))


def _zero_shot(options: argparse.Namespace) -> None:
    from hw2.clip import prompts, weights

    settings, artifacts = params.load(), paths.load()
    section = settings.clip.zero_shot
    models = {model.name: model for model in section.models}
    name = options.model or section.models[0].name
    if name not in models:
        raise UserError(
            f"--model {name}: choose from {', '.join(models)}, or add it to params.yaml"
        )
    located = weights.locate(models[name], artifacts.clip_model)  # fails before slow imports
    prompt_set = options.prompts or section.report_prompts
    templates = prompts.select([prompt_set], section.custom_prompts)[prompt_set]

    from hw2.commands import zero_shot

    device.use_threads(settings.runtime.threads)
    accuracy = zero_shot.run(
        section,
        located,
        templates,
        folder=options.folder,
        cache=artifacts.clip_feature_cache,
        out=options.out,
        device=device.choose(settings.runtime.device),
    )
    interval = f"{100 * accuracy.low:.1f} to {100 * accuracy.high:.1f} %"
    print(f"{name}: accuracy {100 * accuracy.value:.1f} % ({interval}) on {accuracy.n} images")
    print(f"predictions are in {options.out}")


def _sample(options: argparse.Namespace) -> None:
    from hw2.commands import output_folder
    from hw2.personalization import prompt_specs

    settings, artifacts = params.load(), paths.load()
    prompt_specs.read(options.input)  # fails before slow imports
    output_folder.need_new(options.out)
    stable_diffusion = settings.stable_diffusion
    if options.model is not None:
        stable_diffusion = stable_diffusion.model_copy(
            update={"weights": options.model, "revision": None}
        )

    from hw2.stages import personalization_sample

    device.use_threads(settings.runtime.threads)
    count = personalization_sample.run(
        stable_diffusion,
        settings.personalization,
        stable_diffusion_model=artifacts.stable_diffusion_model,
        personalization_embeddings=options.embeddings or artifacts.personalization_embeddings,
        personalization_prompts=options.input,
        personalization_images=options.out,
        device=device.choose(settings.runtime.device),
    )
    print(f"{count} images in {options.out}")


def _grade(options: argparse.Namespace) -> None:
    from hw2.commands import grade_personalization
    from hw2.personalization import grading

    settings, artifacts = params.load(), paths.load()
    personalization = settings.personalization
    if options.clip is not None:
        models = {model.name: model for model in settings.clip.zero_shot.models}
        if options.clip not in models:
            raise UserError(f"--clip {options.clip}: choose from {', '.join(models)}")
        personalization = personalization.model_copy(update={"clip": models[options.clip]})
    device.use_threads(settings.runtime.threads)
    cases = grade_personalization.run(
        personalization,
        clip_model=artifacts.clip_model,
        input_file=options.input,
        references=options.references,
        images=options.images,
        device=device.choose(settings.runtime.device),
    )
    print(grading.table(cases))


def _plan(options: argparse.Namespace) -> None:
    from hw2.pipeline import plan

    settings = params.load()
    if options.record:
        seconds = plan.record(settings.profile, settings.runtime.threads)
        print(f"{plan.TIMINGS}: {len(seconds)} stages, {sum(seconds.values()):.0f} s")
        return
    pending = plan.plan(settings.profile, settings.runtime.threads)
    if not pending.stages:
        print("all results are up to date")
        return
    stages = f"{len(pending.stages)} stage{'s' * (len(pending.stages) > 1)} to run"
    if pending.seconds is None:
        print(f"{stages}; there are no times of profile {settings.profile} yet")
    elif pending.seconds < 60:
        print(f"{stages}: under a minute on this machine")
    else:
        print(f"{stages}: about {pending.seconds / 60:.0f} minutes on this machine")


def _absolute(text: str) -> Path:
    return Path(text).absolute()  # before main changes to the repository


def _model(text: str) -> str:
    """An absolute path if it exists, otherwise the text as a hub id."""
    return str(_absolute(text)) if Path(text).exists() else text


def _value(text: str) -> tuple[str, object]:
    """Split KEY=VALUE and read the value as YAML."""
    key, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} should be KEY=VALUE")
    return key, loader.read_value(value)


def _root() -> Path:
    """The repository: the working directory, or the nearest one above it, with a dvc.yaml."""
    directory = Path.cwd()
    for folder in (directory, *directory.parents):
        if (folder / "dvc.yaml").is_file() and (folder / paths.FILE).is_file():
            return folder
    raise UserError(f"{directory}: not inside a clone of hw2; change to its directory")


if __name__ == "__main__":
    sys.exit(main())
