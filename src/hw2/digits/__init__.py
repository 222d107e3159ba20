"""The digit data: synthetic digits, the course's archive layout, and packed arrays."""
