"""Claims and what is made of them: rows of the ledger, derivations on screen, report files, the command line."""
