"""Synthetic digits: handwriting, printed digits, backgrounds, and a painter for each domain."""
