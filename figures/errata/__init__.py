"""The errata as a document to forward: results/errata.pdf."""
