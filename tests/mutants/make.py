"""Lets mutmut write the mutants of a copy of the house, which is the working directory, below `mutants`."""

from pathlib import Path

from mutmut.__main__ import copy_also_copy_files, copy_src_dir, create_mutants

if __name__ == "__main__":
    Path("mutants").mkdir(exist_ok=True)
    copy_src_dir()
    copy_also_copy_files()
    create_mutants(max_children=1)
