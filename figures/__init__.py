"""Everything rendered: the paper's Figures 1-7, its tables and the report page, drawn and never computed.

Values come from `theory`, `numerics` and the records of `training`.
The room is empty so far: no figure is drawn.
"""
