"""Types and ranges of the sections of params.yaml, a module for each capability."""
