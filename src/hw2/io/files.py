"""The three formats between stages: JSON for records, CSV for small tables, NPZ for arrays.

Every file is written atomically, and its bytes depend on its content only, so that DVC sees a
change exactly when there is one. Numbers in records are finite: reading or writing NaN is an error.
"""

import csv
import io
import json
import math
import os
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hw2.io.atomic import atomic_dir as atomic_dir
from hw2.io.atomic import atomic_path as atomic_path
from hw2.runtime.errors import UserError

Cell = int | float | bool | str | None
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WORDS: dict[str, Cell] = {"": None, "true": True, "false": False}


def write_json(path: str | Path, obj: Any) -> None:
    """Write `obj` with sorted keys, indented, with a final newline.

    Raises:
        UserError: naming the dotted key of a value that is NaN or infinite.
    """
    plain = _finite(obj, str(path), "")
    text = json.dumps(plain, sort_keys=True, indent=2, allow_nan=False, ensure_ascii=False)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def write_metrics(path: str | Path, record: Mapping[str, Any]) -> None:
    """Write a record with six significant digits of each number.

    Further digits say nothing with a few thousand images, and fill `dvc metrics diff`.
    """
    write_json(path, _rounded(_finite(record, str(path), "")))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _finite(value: Any, path: str, key: str) -> Any:
    """Convert `value` to plain types (0-d arrays become numbers) and check that all are finite."""
    if isinstance(value, Mapping):
        return {k: _finite(v, path, f"{key}.{k}".lstrip(".")) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v, path, f"{key}.{i}".lstrip(".")) for i, v in enumerate(value)]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{path}: {key or 'the value'} is {value}; records hold finite numbers")
    return value


def read_json(path: str | Path) -> Any:
    """Read strictly: one-line UserError for a missing file or one that `parse_json` refuses."""
    try:
        return parse_json(_bytes(path))
    except ValueError as error:
        raise UserError(
            f"{path}: not a complete JSON file ({error}); correct or recreate it"
        ) from error


def parse_json(content: bytes) -> Any:
    """Parse JSON in UTF-8, with or without a byte order mark.

    Raises:
        ValueError: if it is cut or nested too deeply, a key occurs twice in an object, a number is
            not finite as a float, or a text is not Unicode.
    """
    try:
        result = json.loads(
            content.decode("utf-8-sig"),
            parse_constant=_refuse,
            parse_float=_float,
            parse_int=_int,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if b"\\ud" in content.lower():  # escapes may make half of a surrogate pair
        try:
            json.dumps(result, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("a text has half of a surrogate pair, which is no character") from None
    return result


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"the key {key[:40]!r} occurs twice")
        result[key] = value
    return result


def _int(text: str) -> int:
    _float(text)  # limits the digits, so that every number can be used as a float
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse(text)


def _refuse(text: str) -> float:
    raise ValueError(f"{text[:20]} is not a finite number")


def _bytes(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise UserError(
            f"{path}: cannot be read ({reason}); run the stage that makes it"
        ) from error


def write_table(
    path: str | Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()
) -> None:
    """Write a CSV; all rows have the same columns, an absent value is None.

    With `columns`, every row must have exactly these, and there may be no rows.

    Raises:
        UserError: for no rows, differing columns, or a NaN (row and column are named).
    """
    if not rows and not columns:
        raise UserError(f"{path}: a table needs at least one row")
    names = list(columns or rows[0])
    text = io.StringIO()
    table = csv.DictWriter(text, names, lineterminator="\n")
    table.writeheader()
    for number, row in enumerate(rows, start=1):
        if row.keys() != set(names):
            raise UserError(f"{path}: row {number} has columns {list(row)}, not {names}")
        plain = _finite(row, str(path), f"row {number}")
        table.writerow({k: str(v).lower() if isinstance(v, bool) else v for k, v in plain.items()})
    with atomic_path(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8", newline="")


def read_table(path: str | Path) -> list[dict[str, Cell]]:
    """Read a CSV: numbers, true / false and empty cells (None) get their types, others are text.

    Raises:
        UserError: if the file is missing, or a row has too few or too many cells.
    """
    text = _bytes(path).decode("utf-8-sig", errors="replace")
    lines = list(csv.reader(io.StringIO(text, newline="")))
    if not lines:
        raise UserError(f"{path}: the table is empty; remake it")
    header, *body = lines
    for number, cells in enumerate(body, start=2):
        if len(cells) != len(header):
            raise UserError(f"{path}: line {number} has {len(cells)} of {len(header)} cells")
    return [dict(zip(header, map(_cell, cells), strict=True)) for cells in body]


def _cell(text: str) -> Cell:
    if text in _WORDS:
        return _WORDS[text]
    if not _NUMBER.fullmatch(text):
        return text
    try:
        return int(text)
    except ValueError:
        return float(text)


# RuntimeError: an encrypted member, or a zip of an unknown version. MemoryError: a false shape.
_NO_ARRAYS = (
    *(ValueError, TypeError, KeyError, AttributeError, RuntimeError, OverflowError, MemoryError),
    *(OSError, EOFError, zipfile.BadZipFile, zlib.error),
)


def save_arrays(path: str | Path, **arrays: npt.ArrayLike) -> None:
    """Write named arrays as NPZ. Uncompressed and undated: the same arrays give the same bytes."""
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in sorted(arrays):
            member = zipfile.ZipInfo(f"{name}.npy")  # the default date is 1980
            with archive.open(member, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(arrays[name]), allow_pickle=False)


def load_arrays(path: str | Path) -> dict[str, npt.NDArray[Any]]:
    """Read all arrays of an NPZ with verified checksums. Object arrays are an error."""
    source = io.BytesIO(_bytes(path))
    try:
        with np.load(source, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except _NO_ARRAYS as error:
        raise UserError(f"{path}: not a whole NPZ file of plain arrays; remake it") from error
