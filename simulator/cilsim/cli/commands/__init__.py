"""One module per command; its function has the command's name."""
