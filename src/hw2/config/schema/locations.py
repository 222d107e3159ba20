"""Paths of the user's own files in params.yaml."""

import os
from typing import Annotated

from pydantic import AfterValidator

UserPath = Annotated[str, AfterValidator(os.path.expanduser)]
"""A path, or a name such as a hub id; a leading ~ is the home folder, as in a shell."""
