"""A fingerprint covers all code that a script imports, and nothing that only people read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hw2.runtime import canonical_source, fingerprint
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
    closure = fingerprint.closure(root / "workflow/scripts/go.py", root)
    assert [path.relative_to(root).as_posix() for path in closure] == [
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
        ("leaf", 'X = 1\n"""Text\nbelow a constant."""\n'),
        ("leaf", '"""Text."""\n\n# why\n\nX = 1  # one   \n\n'),
        ("task", 'def run():\n    """Täxt\n\n    more."""\n\n    import hw2.parts.deep  # ä\n'),
    ],
)
def test_prose_and_unrelated_modules_do_not_change_the_fingerprint(
    tree: Make, module: str, text: str
) -> None:
    assert _fingerprint(tree()) == _fingerprint(tree(**{module: text}))


@pytest.fixture
def canonical(tmp_path: Path) -> Callable[[str], str]:
    """`canonical(source)` returns the canonical form of a source text."""

    def of(source: str) -> str:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.py"
        path.write_text(source)
        return canonical_source.canonical(path)

    return of


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('X = """a\n\nb"""\n', 'X = """a\nb"""\n'),  # an empty line that is part of a value
        ('X = """a \nb"""\n', 'X = """a\nb"""\n'),
        ('X = f"""a{1}\n\nb"""\n', 'X = f"""a{1}\nb"""\n'),
        ('X = f"a{1}"\n', 'X = f"a{2}"\n'),
        ('X = "# a"\n', 'X = "# b"\n'),
        ("X = (1,)\n", "X = (1)\n"),
        ("X = Y[1,]\n", "X = Y[1]\n"),
        ("if X:\n    Y = 1\nZ = 1\n", "if X:\n    Y = 1\n    Z = 1\n"),
        ('raise ValueError("a")\n', 'raise TypeError("a")\n'),
        ('send("a")\n', 'send("b")\n'),
    ],
)
def test_the_canonical_form_keeps_what_runs(
    canonical: Callable[[str], str], first: str, second: str
) -> None:
    assert canonical(first) != canonical(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('X = ("a" "b")\n', 'X = (\n    "a"  # why\n    # more\n    "b"\n)\n'),
        ("def f(a, b): return 1\n", "def f(\n    a,\n    b,\n): return 1\n"),
        ("def f():\n    return 1\n", 'def f():\n    """Say."""\n\n    return 1\n'),
        ('raise UserError("a")\n', 'raise UserError(\n    f"b {x}"\n    "; do c",\n)\n'),
        ('raise UserError("a") from e\n', 'raise UserError(f"{e}") from e\n'),
        ('log.info("a %s", x)\n', 'log.info("b")\n'),
        ('with progress(3, "a") as bar:\n    x\n', 'with progress(3, f"b {c}") as bar:\n    x\n'),
        ('train(x, desc="a")\n', 'train(x, desc=f"b {c}")\n'),
    ],
)
def test_the_canonical_form_omits_comments_layout_and_messages(
    canonical: Callable[[str], str], first: str, second: str
) -> None:
    assert canonical(first) == canonical(second)


def test_a_fingerprint_of_modules_covers_their_imports_only(tree: Make) -> None:
    def of(root: Path) -> str:
        return fingerprint.fingerprint_of_modules(["hw2.parts.deep"], root)

    assert of(tree()) == of(tree(task="def run(): ...\n"))
    assert of(tree()) != of(tree(leaf="X = 2\n"))


@pytest.mark.parametrize("text", ["from . import leaf\n", "def broken(:\n"])
def test_code_whose_imports_cannot_be_followed_is_a_one_line_error(tree: Make, text: str) -> None:
    with pytest.raises(UserError, match=r"deep\.py:1: [^\n]+$"):
        _fingerprint(tree(deep=text))
