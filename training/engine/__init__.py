"""The two engines, `--engine reference|fast`: the same algorithm, computed plainly or quickly."""
