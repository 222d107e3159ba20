"""Unknown commands and options, and the version."""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hw2 import cli
from hw2.cli import argument_types

REPO = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["profle"], "unknown command 'profle'; did you mean 'profile'?"),
        (["digits", "out", "--cuont", "3"], "unknown option --cuont; did you mean '--count'?"),
        (["faces", "a", "b", "--stepps=3"], "unknown option --stepps; did you mean '--steps'?"),
        (["faces", "a", "b", "--timestep-spacing", "cours"], "'cours'; did you mean 'course'?"),
        (["compare", "--format", "markdwn"], "--format: no 'markdwn'; did you mean 'markdown'?"),
        (["compare", "--fail-on", "wrse"], "--fail-on: no 'wrse'; did you mean 'worse'?"),
    ],
)
def test_the_nearest_name_is_suggested(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_version_names_what_is_installed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith("hw2 ")
    assert all(name in text for name in ("torch 2.", "torchvision ", "Python 3."))


def test_a_tilde_that_the_shell_left_is_the_home_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert argument_types.absolute_path("~/out.csv") == tmp_path / "out.csv"
    assert argument_types.model_source("~/UNet.pt") == str(tmp_path / "UNet.pt")
    assert argument_types.model_source("owner/model") == "owner/model"


@pytest.mark.slow
def test_found_02_figures_and_runner_ignore_the_backend_of_a_notebook() -> None:
    code = "from hw2.figures import report; import matplotlib; print(matplotlib.get_backend())"
    runner = code.replace("hw2.figures import report", "hw2.pipeline import runner")
    backend = {"MPLBACKEND": "module://matplotlib_inline.nowhere"}
    variables = os.environ | backend | {"PYTHONPATH": os.pathsep.join(sys.path)}
    for program in (code, runner):
        process = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, env=variables
        )
        assert process.stdout.strip().lower() == "agg", process.stderr


PARSERS: dict[str, argparse.ArgumentParser] = next(
    action.choices for action in cli._parser()._actions if action.dest == "command"
)  # type: ignore[assignment]


@pytest.mark.parametrize("command", PARSERS)
def test_help_of_a_command_ends_with_an_example(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    assert f"examples:\n  hw2 {command}" in capsys.readouterr().out


@pytest.mark.parametrize("command", PARSERS)
def test_help_explains_every_argument_and_the_default_of_each_value(command: str) -> None:
    for action in PARSERS[command]._actions:
        name = f"{command} {action.option_strings or action.metavar}"
        assert action.help, name
        takes_value = action.nargs in (None, "?") and not action.required
        if takes_value and (command, action.dest) not in WITHOUT_DEFAULT:
            assert "default" in action.help, name


WITHOUT_DEFAULT = {("profile", "name"), ("compare", "fail_on")}
"""Options that do another thing, or nothing, where they are left out."""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["profile", "curse"], "no profile 'curse'; did you mean 'course'?"),
        (["profile", "demo", "ddpm.trian.steps=3"], "'ddpm.trian.steps'; did you mean 'train'?"),
        (["predict", ".", "x.csv", "--target", "svnh"], "--target svnh: not in the targets"),
        (["predict", ".", "x.csv", "--target", "svhn", "--method", "dan"], "did you mean 'dann'?"),
        (["zero-shot", ".", "x.csv", "--prompts", "imagnet80"], "did you mean 'imagenet80'?"),
        (["zero-shot", ".", "x.csv", "--model", "smal CLIP"], "did you mean 'small CLIP'?"),
        (["grade-personalization", "a", "b", "c", "--clip", "ViT"], "--clip ViT: not in clip."),
    ],
)
def test_the_nearest_value_is_suggested_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    for name in ("dvc.yaml", "params.yaml", "paths.yaml", "profiles.yaml"):
        shutil.copy(REPO / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_help_documents_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    text = capsys.readouterr().out
    for code in (0, 1, 2, 130):
        assert re.search(rf"^  {code} +\w", text, re.M) or f"\n  {code} " in text
