"""Programs that show the parts of `training` at work in a loop of one's own."""
