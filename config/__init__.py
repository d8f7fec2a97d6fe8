"""One source for every process setting."""
