"""What was derived and compiled, kept on disk."""
