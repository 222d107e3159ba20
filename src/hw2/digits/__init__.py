"""The digit data: the embedded worlds, the course's archive layout, and packed arrays."""
