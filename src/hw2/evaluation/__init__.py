"""Judging images: accuracy and diversity, always with n and a 95 % interval."""
