"""Fingerprints of code: which source a script can run, and a hash that ignores its prose.

The stage `code` writes one fingerprint per stage script, and every stage depends on its own. So an
edit in `src/hw2` reruns the stages that import it, and a comment reruns none of them.
"""

import ast
import hashlib
import io
import itertools
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from hw2.runtime.errors import UserError

# Types and ranges only: its values reach a stage as tracked parameters.
LEFT_OUT = "hw2.config.params"

Span = tuple[tuple[int, int], tuple[int, int]]  # (row, column) of both ends, rows from 1


def fingerprint(script: Path, root: Path) -> str:
    """Hash all first-party source that `script` can run, comments and docstrings left out."""
    digest = hashlib.sha256()
    for path in closure(script, root):
        name = path.relative_to(root).as_posix()
        digest.update(f"{name}\0{normalised(path)}\0".encode())
    return digest.hexdigest()


def closure(script: Path, root: Path) -> list[Path]:
    """Return `script` and the files under `root/src` that it imports, directly or not."""
    found = {script}
    queue = [script]
    while queue:
        for module in _imported(queue.pop()):
            for path in _files(module, root / "src"):
                if path not in found:
                    found.add(path)
                    queue.append(path)
    return sorted(found)


@cache
def normalised(path: Path) -> str:
    """Return the source without comments, docstrings, blank lines and space at line ends.

    The text is cut by position, not printed from a syntax tree: a tree looks different in every
    Python version, and an upgrade of Python should not retrain anything.
    """
    text = _read(path)
    text = _blank(text, _docstrings(_tree(path), text.split("\n")))
    text = _blank(text, _comments(text))
    inside = _rows_ending_in_text(text)
    rows = enumerate(text.split("\n"), start=1)
    kept = (row if number in inside else row.rstrip() for number, row in rows)
    return "\n".join(row for number, row in enumerate(kept, start=1) if row or number in inside)


# --- who imports whom ------------------------------------------------------------------------


@cache
def _imported(path: Path) -> frozenset[str]:
    """Dotted names that may be modules, from every import in the file, also those in functions."""
    names: set[str] = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise UserError(
                    f"{path}:{node.lineno}: relative import; write it as `from hw2...`, "
                    "so that the fingerprints of the stages can follow it"
                )
            names.update({f"{node.module}", *(f"{node.module}.{a.name}" for a in node.names)})
    return frozenset(names)


def _files(module: str, source: Path) -> Iterator[Path]:
    """Files that run when `module` is imported: its own, and the packages above it."""
    if module == LEFT_OUT or module.startswith(f"{LEFT_OUT}."):
        return
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        base = source.joinpath(*parts[:depth])
        package = base / "__init__.py"
        if package.is_file() and normalised(package):  # a docstring alone changes nothing
            yield package
    if (file := base.with_suffix(".py")).is_file():
        yield file


# --- what counts as code ---------------------------------------------------------------------


def _read(path: Path) -> str:
    with tokenize.open(path) as file:  # honours a coding line, makes every line end "\n"
        return file.read()


@cache
def _tree(path: Path) -> ast.Module:
    try:
        return ast.parse(_read(path))
    except SyntaxError as error:
        raise UserError(f"{path}:{error.lineno}: {error.msg}; correct it and run again") from error


def _docstrings(tree: ast.Module, rows: list[str]) -> list[Span]:
    def place(row: int, offset: int) -> tuple[int, int]:  # a syntax tree counts bytes in a row
        return row, len(rows[row - 1].encode()[:offset].decode())

    spans: list[Span] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            match node.body:
                case [ast.Expr(value=ast.Constant(value=str()) as text), *_]:
                    end = place(text.end_lineno or 0, text.end_col_offset or 0)
                    spans.append((place(text.lineno, text.col_offset), end))
    return spans


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(text).readline)


def _comments(text: str) -> list[Span]:
    return [(token.start, token.end) for token in _tokens(text) if token.type == tokenize.COMMENT]


def _rows_ending_in_text(text: str) -> set[int]:
    """Rows whose end lies inside a string: there, blanks and empty rows are part of a value."""
    rows: set[int] = set()
    opened: list[int] = []  # since Python 3.12 an f-string is several tokens, from START to END
    for token in _tokens(text):
        kind = tokenize.tok_name[token.type]
        if kind == "STRING":
            rows.update(range(token.start[0], token.end[0]))
        elif kind.endswith("STRING_START"):
            opened.append(token.start[0])
        elif kind.endswith("STRING_END"):
            rows.update(range(opened.pop(), token.end[0]))
    return rows


def _blank(text: str, spans: list[Span]) -> str:
    """Overwrite spans with blanks, keeping line ends so that all rows keep their numbers."""
    starts = [0, *itertools.accumulate(len(line) + 1 for line in text.split("\n"))]
    for (row, column), (end_row, end_column) in spans:
        start, end = starts[row - 1] + column, starts[end_row - 1] + end_column
        text = text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]
    return text
