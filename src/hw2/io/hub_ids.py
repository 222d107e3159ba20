"""Ids of models on the Hugging Face Hub."""

from pathlib import Path


def is_hub_id(name: str) -> bool:
    """Whether the name has the form owner/model and is not a path."""
    return name.count("/") == 1 and not name.startswith((".", "/")) and not Path(name).suffix
