"""Domain adaptation methods, a file for each; `registry` lists them."""
