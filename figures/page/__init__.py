"""The report page: what was checked, the errata, the bounds, the figures and the tables in one results/index.html.

`python -m figures.page` writes it from the files in results/ alone; it computes nothing but counts, and the same files
give the same bytes. The page needs no network: pictures, style and script stand in it.
"""
