"""The sentences of the ledger that no adversary attacks, each with the reason in a few words."""

WITHOUT = {
    "eq14.wording": "about the paper's words",
    "eq20": "a definition",
    "lemma1.eq24": "a definition",
    "lemma2.eq27": "a definition",
    "sec322.difficulty": "about experience with training, which no computation here decides",
}
