"""What every room stands on: worker processes, whole files, checked JSON, commands that end in one line, progress."""
