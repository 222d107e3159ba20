"""Commands that configure and plan a run."""

import argparse

from hw2.cli.argument_types import key_value
from hw2.cli.command_list import CommandList
from hw2.commands import outputs
from hw2.config import params, params_file, profiles
from hw2.runtime.errors import UserError


def add_commands(commands: CommandList) -> None:
    """Add the commands of this group."""
    commands.group("configure and plan a run")
    profile = commands.add(
        "profile",
        "list profiles, or write one into params.yaml",
        _profile,
        "hw2 profile",
        "hw2 profile course data.course=hw2_data.zip",
    )
    profile.add_argument(
        "name", nargs="?", metavar="NAME", help="name of a profile; omit it to list them"
    )
    profile.add_argument(
        "values", nargs="*", type=key_value, metavar="KEY=VALUE",
        help="further values to write, keys of params.yaml with dots between their parts",
    )  # fmt: skip
    parameters = commands.add(
        "params",
        "check that params.yaml and its JSON schema are up to date",
        _params,
        "hw2 params",
        "hw2 params --write",
    )
    parameters.add_argument(
        "--write", action="store_true", help="regenerate the comments and the JSON schema"
    )
    plan = commands.add(
        "plan",
        "list the stages that will run, how long they will take, and what they lack",
        _plan,
        "hw2 plan",
        "hw2 plan --json",
        "hw2 plan --exit-code",
        "hw2 plan --record",
    )
    plan.add_argument("--json", action="store_true", help="print JSON, with times in seconds")
    plan.add_argument("--exit-code", action="store_true", help="exit with 1 if a stage is due")
    plan.add_argument(
        "--record", action="store_true",
        help="store the times of the last run, from which later plans are made",
    )  # fmt: skip
    dag = commands.add(
        "dag",
        "draw which stage reads the outputs of which",
        _dag,
        "hw2 dag",
        "hw2 dag --format dot | dot -Tsvg > stages.svg",
    )
    dag.add_argument(
        "--format", choices=("mermaid", "dot"), default="mermaid",
        help="Mermaid for Markdown (default), or dot for Graphviz; without the stage `code`, on"
        " which every stage depends",
    )  # fmt: skip


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


def _plan(options: argparse.Namespace) -> int:
    """Print what is due, how long it will take, and what due stages lack.

    Returns:
        The exit code: 1 if a stage is due and `--exit-code` asks for that, 0 otherwise.

    Raises:
        UserError: if something is missing without which a due stage fails; how long the run takes
            is then not estimated, because that imports torch.
    """
    from hw2.cli import plan_table
    from hw2.commands import doctor
    from hw2.io import timings
    from hw2.pipeline import declared, plan

    settings = params.load()
    if options.record:
        outputs.need_file(timings.FILE.absolute())
        seconds = plan.record(settings.profile, settings.runtime.threads)
        print(f"{timings.FILE}: {len(seconds)} stages, {sum(seconds.values()):.0f} s")
        return 0
    due = plan.due()
    keys = {key for stage in due for key in declared.read(stage).params}
    findings = doctor.preflight(settings, due, lambda key: declared.covers(keys, key))
    failures = [finding for _, finding in findings if finding.status == "fail"]
    pending = plan.estimated(due, settings.profile, None if failures else settings.runtime.threads)
    table = plan_table.as_json if options.json else plan_table.text
    print(table(pending, findings), flush=True)
    if failures:
        raise UserError("the lines with `fail` say what is missing; correct it before the run")
    return int(options.exit_code and bool(due))


def _dag(options: argparse.Namespace) -> None:
    from hw2.pipeline import stage_graph

    render = {"mermaid": stage_graph.mermaid, "dot": stage_graph.dot}[options.format]
    print(render(stage_graph.read("dvc.yaml")))
