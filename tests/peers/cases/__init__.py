"""One module for each pair of peers or question. `cases()` returns names and functions, which receive the `House`."""
