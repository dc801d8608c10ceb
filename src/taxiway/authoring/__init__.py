"""New files: the script of the next migration, and the beginning of a project."""
