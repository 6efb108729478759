"""A module for each pair or question. `cases()` gives names and functions, which get the house."""
