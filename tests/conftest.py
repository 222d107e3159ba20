"""The order of the tests."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The workflow's slow tests come first: they last longest, and one worker builds for them
    while the other one takes the quick ones. At the end both would wait for that build."""
    items.sort(key=lambda item: not ("workflow" in item.path.parts and "slow" in item.keywords))
