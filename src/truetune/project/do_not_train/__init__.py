"""What must never be trained on: `entries` reads the list, `matching` says which entry a row falls under.

It lies here because two stages need the same answer: the data gate leaves such rows out, and the training stage looks again at
the rows that it is about to tokenise, which may have been edited or made elsewhere.
"""
