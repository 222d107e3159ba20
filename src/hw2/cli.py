"""`hw2 VERB`: what a person does besides running the DAG."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from hw2.config import loader, params, params_file, paths, profiles
from hw2.runtime import device
from hw2.runtime.errors import UserError
from hw2.runtime.progress import ConsoleHandler


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code: 0 done, 2 something the user can put right."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    handler = ConsoleHandler()
    logging.getLogger().addHandler(handler)
    logging.getLogger("hw2").setLevel(logging.INFO)
    try:
        os.chdir(_root())
        chosen.do(chosen)
    except UserError as error:
        print(f"hw2 {chosen.verb}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    finally:
        logging.getLogger().removeHandler(handler)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hw2", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    profile = verbs.add_parser("profile", help="write the values of a profile into params.yaml")
    profile.add_argument(
        "name", nargs="?", help="a profile of profiles.yaml; omit it to list all profiles"
    )
    profile.add_argument(
        "values", nargs="*", type=_value, metavar="KEY=VALUE", help="further values to write"
    )
    profile.set_defaults(do=_profile)

    parameters = verbs.add_parser(
        "params", help="check that params.yaml and its JSON schema match src/hw2/config/schema"
    )
    parameters.add_argument(
        "--write", action="store_true", help="regenerate the comments and the JSON schema"
    )
    parameters.set_defaults(do=_params)

    fetch = verbs.add_parser(
        "fetch", help="get the data files of data.source, or say what is there"
    )
    fetch.set_defaults(do=_fetch)

    digits = verbs.add_parser("digits", help="draw digits as the course's grader reads them")
    digits.add_argument("out", type=_absolute, metavar="OUT", help="folder for the images")
    digits.add_argument("--count", type=int, default=50, help="images of each digit (default 50)")
    digits.set_defaults(do=_digits)

    check = verbs.add_parser("check-data", help="check the digits of a hw2_data folder or zip")
    check.add_argument("path", type=_absolute, metavar="PATH", help="the folder or zip")
    check.add_argument(
        "--test-labels", action="store_true", help="test.csv holds labels, and is no form to fill"
    )
    check.set_defaults(do=_check_data)

    predict = verbs.add_parser("predict", help="read the digits of a folder of images")
    predict.add_argument("folder", type=_absolute, metavar="FOLDER", help="the images")
    predict.add_argument("out", type=_absolute, metavar="OUT.csv", help="image_name,label")
    predict.add_argument("--target", required=True, help="their domain, svhn or usps")
    predict.add_argument("--method", default="strong", help="row of the table (default strong)")
    predict.set_defaults(do=_predict)

    faces = verbs.add_parser("faces", help="draw the faces of a folder of noises with DDIM")
    faces.add_argument(
        "noise", type=_absolute, metavar="NOISE", help="folder with 00.pt, 01.pt ..."
    )
    faces.add_argument("out", type=_absolute, metavar="OUT", help="folder for 00.png, 01.png ...")
    faces.add_argument(
        "model", nargs="?", type=_model, metavar="UNET",
        help="the course's UNet.pt, a diffusers folder or hub id; default: the pipeline's",
    )  # fmt: skip
    faces.add_argument("--steps", type=int, help="network calls (default ddim.steps)")
    faces.add_argument("--eta", type=float, help="fresh noise, 0 to 1 (default ddim.eta)")
    faces.add_argument("--grid", help="course, leading or trailing (default ddim.grid)")
    faces.set_defaults(do=_faces)

    mse = verbs.add_parser("mse", help="compare drawn faces with the ground truth, as the course")
    mse.add_argument("out", type=_absolute, metavar="OUT", help="folder with 00.png, 01.png ...")
    mse.add_argument("truth", type=_absolute, metavar="GT", help="folder with as many")
    mse.set_defaults(do=_mse)

    zero_shot = verbs.add_parser("zero-shot", help="classify a folder of images with CLIP")
    zero_shot.add_argument(
        "folder", type=_absolute, metavar="FOLDER", help="id2label.json and val/{class}_{id}.png"
    )
    zero_shot.add_argument("out", type=_absolute, metavar="OUT.csv", help="a row for each image")
    zero_shot.add_argument("--model", help="a name of zeroshot.models (default the first)")
    zero_shot.add_argument("--prompts", help="a prompt set (default zeroshot.shown)")
    zero_shot.set_defaults(do=_zero_shot)

    generate = verbs.add_parser(
        "generate-inversion", help="draw 25 images of every prompt of an input.json"
    )
    generate.add_argument("input", type=_absolute, metavar="INPUT.json", help="as the course's")
    generate.add_argument("out", type=_absolute, metavar="OUT", help="folder for the images")
    generate.add_argument(
        "model", nargs="?", type=_model, metavar="SD",
        help="sd-v1-4.ckpt, a diffusers folder or hub id (default stable.weights)",
    )  # fmt: skip
    generate.add_argument(
        "--embeddings", type=_absolute, help="folder of .safetensors (default the pipeline's)"
    )
    generate.set_defaults(do=_generate)

    grade = verbs.add_parser("grade-inversion", help="grade generated images as the course does")
    grade.add_argument("input", type=_absolute, metavar="INPUT.json", help="as the course's")
    grade.add_argument(
        "references", type=_absolute, metavar="REFERENCES", help="a folder for each concept"
    )
    grade.add_argument("images", type=_absolute, metavar="OUT", help="what generate-inversion made")
    grade.add_argument("--clip", help="a name of zeroshot.models (default inversion.clip)")
    grade.set_defaults(do=_grade)

    plan = verbs.add_parser("plan", help="say which stages are due and how long they will take")
    plan.add_argument("--record", action="store_true", help="keep the times of the last run")
    plan.set_defaults(do=_plan)
    return parser


def _profile(chosen: argparse.Namespace) -> None:
    if chosen.name is None:
        active = params.load().profile
        print("\n".join(f"{'*' if name == active else ' '} {name}" for name in profiles.names()))
    else:
        profiles.apply(chosen.name, values=dict(chosen.values))
        print(f"params.yaml now has the values of profile {chosen.name}")
        print("".join(f"{key}: {value}\n" for key, value in chosen.values), end="")


def _params(chosen: argparse.Namespace) -> None:
    if chosen.write:
        params_file.write()
        print(f"params.yaml and {params_file.SCHEMA} are up to date")
    else:
        params_file.check()
        print(f"params.yaml and {params_file.SCHEMA} match src/hw2/config/schema")


def _fetch(chosen: argparse.Namespace) -> None:
    from hw2.stages import digits_fetch

    data = params.load().data
    print(digits_fetch.obtain(data, raw=paths.load().raw))


def _digits(chosen: argparse.Namespace) -> None:
    from hw2.commands import export_digits

    settings, where = params.load(), paths.load()
    device.use_threads(settings.runtime.threads)
    count = export_digits.run(
        settings.sampling,
        model=where.ddpm_model,
        guidance=where.ddpm_guidance,
        out=chosen.out,
        count=chosen.count,
        device=device.choose(settings.runtime.device),
    )
    print(f"{count} images in {chosen.out}")


def _check_data(chosen: argparse.Namespace) -> None:
    from hw2.commands import check_data
    from hw2.digits import faults

    table, found = check_data.run(chosen.path, test_labels=chosen.test_labels)
    print(table, flush=True)  # before the faults, which go to stderr
    if found:
        lines = [f"{chosen.path}:", *map(str, found), faults.summary(found)]
        raise UserError("\n".join(lines))
    print("no faults")


def _predict(chosen: argparse.Namespace) -> None:
    from hw2.commands import predict_digits

    settings, where = params.load(), paths.load()
    device.use_threads(settings.runtime.threads)
    count = predict_digits.run(
        settings.dann,
        models=where.dann_models,
        folder=chosen.folder,
        out=chosen.out,
        target=chosen.target,
        method=chosen.method,
        device=device.choose(settings.runtime.device),
    )
    print(f"{count} images read; {chosen.out}")


def _faces(chosen: argparse.Namespace) -> None:
    from hw2.commands import export_faces

    settings, where = params.load(), paths.load()
    asked = {key: getattr(chosen, key) for key in ("steps", "eta", "grid")}
    asked = {key: value for key, value in asked.items() if value is not None}
    ddim = loader.parse(params.Ddim, settings.ddim.model_dump() | asked, "hw2 faces")
    device.use_threads(settings.runtime.threads)
    count = export_faces.run(
        ddim,
        noise=chosen.noise,
        out=chosen.out,
        model=chosen.model or str(where.faces_model),
        device=device.choose(settings.runtime.device),
    )
    print(f"{count} images in {chosen.out}")


def _mse(chosen: argparse.Namespace) -> None:
    from hw2.faces import ground_truth

    print(ground_truth.table(ground_truth.run(chosen.out, chosen.truth)))


def _zero_shot(chosen: argparse.Namespace) -> None:
    from hw2.clip import prompts, weights

    settings, where = params.load(), paths.load()
    zeroshot = settings.zeroshot
    models = {model.name: model for model in zeroshot.models}
    name = chosen.model or zeroshot.models[0].name
    if name not in models:
        raise UserError(f"--model {name}: choose of {', '.join(models)}, or add it to params.yaml")
    located = weights.locate(models[name], where.clip_model)  # quick, before what is slow to import
    prompt_set = chosen.prompts or zeroshot.shown
    templates = prompts.chosen([prompt_set], zeroshot.own_prompts)[prompt_set]

    from hw2.commands import zero_shot

    device.use_threads(settings.runtime.threads)
    found = zero_shot.run(
        zeroshot,
        located,
        templates,
        folder=chosen.folder,
        cache=where.clip_feature_cache,
        out=chosen.out,
        device=device.choose(settings.runtime.device),
    )
    share = f"{100 * found.value:.1f} % ({100 * found.low:.1f} to {100 * found.high:.1f})"
    print(f"{found.n} images, {share} right with {name}; {chosen.out}")


def _generate(chosen: argparse.Namespace) -> None:
    from hw2.commands import output_folder
    from hw2.personalization import prompt_specs

    settings, where = params.load(), paths.load()
    prompt_specs.read(chosen.input)  # before what is slow to import
    output_folder.need_new(chosen.out)
    stable = settings.stable
    if chosen.model is not None:
        stable = stable.model_copy(update={"weights": chosen.model, "revision": None})

    from hw2.stages import personalization_sample

    device.use_threads(settings.runtime.threads)
    count = personalization_sample.run(
        stable,
        settings.inversion,
        stable_diffusion_model=where.stable_diffusion_model,
        personalization_embeddings=chosen.embeddings or where.personalization_embeddings,
        personalization_prompts=chosen.input,
        personalization_images=chosen.out,
        device=device.choose(settings.runtime.device),
    )
    print(f"{count} images in {chosen.out}")


def _grade(chosen: argparse.Namespace) -> None:
    from hw2.commands import grade_personalization
    from hw2.personalization import grading as grade

    settings, where = params.load(), paths.load()
    inversion = settings.inversion
    if chosen.clip is not None:
        models = {model.name: model for model in settings.zeroshot.models}
        if chosen.clip not in models:
            raise UserError(f"--clip {chosen.clip}: choose of {', '.join(models)}")
        inversion = inversion.model_copy(update={"clip": models[chosen.clip]})
    device.use_threads(settings.runtime.threads)
    cases = grade_personalization.run(
        inversion,
        clip_model=where.clip_model,
        asked=chosen.input,
        references=chosen.references,
        images=chosen.images,
        device=device.choose(settings.runtime.device),
    )
    print(grade.table(cases))


def _plan(chosen: argparse.Namespace) -> None:
    from hw2.pipeline import plan

    settings = params.load()
    if chosen.record:
        seconds = plan.record(settings.profile, settings.runtime.threads)
        print(f"{plan.TIMINGS}: {len(seconds)} stages, {sum(seconds.values()):.0f} s")
        return
    found = plan.plan(settings.profile, settings.runtime.threads)
    if not found.stages:
        print("nothing to do: every result is up to date")
        return
    stages = f"{len(found.stages)} stage{'s' * (len(found.stages) > 1)} to run"
    if found.seconds is None:
        print(f"{stages}; profile {settings.profile} was not timed yet")
    elif found.seconds < 60:
        print(f"{stages}: under a minute on this machine")
    else:
        print(f"{stages}: about {found.seconds / 60:.0f} minutes on this machine")


def _absolute(text: str) -> Path:
    return Path(text).absolute()  # before the change of folder


def _model(text: str) -> str:
    """A path, absolute if something lies there, or a hub id."""
    return str(_absolute(text)) if Path(text).exists() else text


def _value(text: str) -> tuple[str, object]:
    """KEY=VALUE, the value as YAML reads it."""
    key, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} should be KEY=VALUE")
    return key, loader.read_value(value)


def _root() -> Path:
    """The repository: the working folder or the nearest one above it with a dvc.yaml."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "dvc.yaml").is_file() and (folder / paths.FILE).is_file():
            return folder
    raise UserError(f"{here}: not inside a clone of hw2; change to one")


if __name__ == "__main__":
    sys.exit(main())
