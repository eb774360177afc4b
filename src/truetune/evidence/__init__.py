"""Evidence: what is on disk, hashed so that anyone can re-derive it.

`digests` names content, `atomic` writes so that a killed process leaves the old state or the new one, `store` keeps
blobs by digest, `ledger` chains what happened, `run_folder` is one run's view of all of them.
"""
