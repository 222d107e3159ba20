"""What a person runs through `hw2`; a module for each command that computes."""
