"""The public data sets: a module for each, with its files, their checksums and its reader."""
