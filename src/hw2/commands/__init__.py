"""Commands of `hw2` that compute; a module for each."""
