"""Errors of DVC as one line that says what to do."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from dvc.exceptions import DvcException
from dvc.lock import LockError
from dvc.scm import SCMError

from hw2.pipeline.files_in_use import LIST
from hw2.runtime.errors import UserError

_YAML_FILES = ("params.yaml", "paths.yaml", "dvc.yaml")
_UNWRITABLE = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT}


@contextmanager
def explained() -> Iterator[None]:
    """Turn an error of DVC, or of the disk it writes to, into a UserError of one line."""
    try:
        yield
    except LockError as error:
        owners = sorted(set(re.findall(r"PID \d+", str(error)))) or ["DVC"]
        raise UserError(
            f"another run ({', '.join(owners)}) is using this repository; wait until it ends,"
            f" or remove {LIST} if that process is no run of this repository"
        ) from error
    except SCMError as error:
        raise UserError(
            f"{os.getcwd()}: DVC needs a Git repository ({_line(error)});"
            " clone the repository, or run `git init` in a downloaded copy"
        ) from error
    except DvcException as error:
        raise UserError(
            f"dvc.yaml or its data: {_line(error)}; run `dvc status` for details"
        ) from error
    except (ValueError, KeyError, RecursionError):
        # The YAML library lets such errors of single values through: name the file, if it is one.
        from hw2.config import loader  # here, because every Snakemake job would wait for pydantic

        for path in _YAML_FILES:
            loader.read_yaml(path)
        raise
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        raise UserError(
            f"{error.filename or os.getcwd()}: cannot be used"
            f" ({os.strerror(error.errno or 0)}); DVC keeps its locks in the repository,"
            " so free some space, correct the permissions or copy it elsewhere"
        ) from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
