"""The report's grid of generated digits: a row for each digit, a column for each initial noise."""

COLUMNS = 10
"""Images of each label in a grid."""
