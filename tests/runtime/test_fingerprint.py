"""Fingerprints see code through every import, and see nothing but code."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hw2.runtime import fingerprint
from hw2.runtime.errors import UserError

PACKAGE = {
    "src/hw2/__init__.py": '"""Only a docstring."""\n',
    "src/hw2/config/params.py": "LIMIT = 3\n",
    "src/hw2/parts/__init__.py": "SPEED = 1\n",
    "src/hw2/parts/deep.py": "from hw2.parts import leaf\n",
    "src/hw2/parts/leaf.py": "X = 1\n",
    "src/hw2/aside.py": "Y = 1\n",
    "src/hw2/task.py": "def run():\n    import hw2.parts.deep\n",
    "workflow/scripts/go.py": "from hw2 import task\nfrom hw2.config import params\n\ntask.run()\n",
}
Make = Callable[..., Path]


@pytest.fixture
def tree(tmp_path: Path) -> Make:
    def make(**changed: str) -> Path:
        root = tmp_path / f"tree{len(list(tmp_path.iterdir()))}"  # sources keeps what it read
        for name, text in PACKAGE.items():
            file = root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(changed.get(file.stem, text))
        return root

    return make


def _fingerprint(root: Path) -> str:
    return fingerprint.fingerprint(root / "workflow/scripts/go.py", root)


def test_closure_follows_imports_in_functions_and_packages_that_hold_code(tree: Make) -> None:
    root = tree()
    found = fingerprint.closure(root / "workflow/scripts/go.py", root)
    assert [path.relative_to(root).as_posix() for path in found] == [
        "src/hw2/parts/__init__.py",
        "src/hw2/parts/deep.py",
        "src/hw2/parts/leaf.py",
        "src/hw2/task.py",
        "workflow/scripts/go.py",
    ]


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("leaf", "X = 2\n"),
        ("leaf", "X = 1\nX += 1\n"),
        ("go", "from hw2 import task\nfrom hw2.config import params\n\ntask.run() or 1\n"),
    ],
)
def test_code_changes_the_fingerprint(tree: Make, module: str, text: str) -> None:
    assert _fingerprint(tree()) != _fingerprint(tree(**{module: text}))


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("aside", "Y = 2\n"),  # nobody imports it
        ("params", "LIMIT = 4\n"),  # its values are tracked as parameters
        ("leaf", '"""Text."""\n\n# why\n\nX = 1  # one   \n\n'),
        ("task", 'def run():\n    """Täxt\n\n    more."""\n\n    import hw2.parts.deep  # ä\n'),
    ],
)
def test_prose_and_strangers_do_not(tree: Make, module: str, text: str) -> None:
    assert _fingerprint(tree()) == _fingerprint(tree(**{module: text}))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('X = """a\n\nb"""\n', 'X = """a\nb"""\n'),  # an empty line that is part of a value
        ('X = """a \nb"""\n', 'X = """a\nb"""\n'),
        ('X = f"""a{1}\n\nb"""\n', 'X = f"""a{1}\nb"""\n'),
        ('X = "# a"\n', 'X = "# b"\n'),
        ("if X:\n    Y = 1\nZ = 1\n", "if X:\n    Y = 1\n    Z = 1\n"),
    ],
)
def test_values_that_look_like_prose_count(tmp_path: Path, one: str, other: str) -> None:
    (tmp_path / "one.py").write_text(one)
    (tmp_path / "other.py").write_text(other)
    assert fingerprint.normalised(tmp_path / "one.py") != fingerprint.normalised(
        tmp_path / "other.py"
    )


def test_a_comment_between_strings_that_join_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text('X = (\n    "a"\n    "b"\n)\n')
    (tmp_path / "other.py").write_text('X = (\n    "a"  # why\n    # more\n    "b"\n)\n')
    assert fingerprint.normalised(tmp_path / "one.py") == fingerprint.normalised(
        tmp_path / "other.py"
    )


@pytest.mark.parametrize("text", ["from . import leaf\n", "def broken(:\n"])
def test_what_cannot_be_followed_is_said_in_one_line(tree: Make, text: str) -> None:
    with pytest.raises(UserError, match=r"deep\.py:1: [^\n]+$"):
        _fingerprint(tree(deep=text))
