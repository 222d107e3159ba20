"""Commands of `hw2` that have code of their own; `hw2.cli` lists all commands."""
