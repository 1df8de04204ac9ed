"""The two engines behind Tables 1-3, `--engine reference|fast`: the same algorithm, computed plainly or quickly."""
