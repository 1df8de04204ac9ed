"""Programs that attack the ledger's sentences, each written from the sentence and its assumptions alone.

`adversary.py` says what an adversary is and searches with it, `judgement.py` holds what it found against the ledger,
`command.py` is `python -m numerics adversaries`; the other files are the adversaries, by section of the paper.
"""
