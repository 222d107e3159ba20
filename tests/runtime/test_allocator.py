import subprocess
import sys

import pytest

_MEASURE = """
import resource, sys
from hw2.runtime import allocator
import numpy as np
if sys.argv[1] == "kept":
    allocator.keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(64 << 20, np.uint8)  # touches the memory once
before = faults()
for _ in range(10):
    np.ones(64 << 20, np.uint8)
print(faults() - before)
"""


def _page_faults(how: str) -> int:
    command = [sys.executable, "-c", _MEASURE, how]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is glibc's")
def test_a_freed_block_is_used_again_without_new_pages() -> None:
    assert _page_faults("kept") * 10 < _page_faults("default")
