"""What `python -m theory new FOLDER` copies: a paper of three worked claims."""
