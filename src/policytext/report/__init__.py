"""The one-file page and files for other tools."""
