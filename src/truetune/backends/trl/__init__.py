"""Training with TRL and PEFT, in this process.

`trainer` keeps the port's promises; `plan` says which rows go into which step; `loss` is the fast path; `sft` is TRL's
trainer with both built in; `overrides`, `checkpoints`, `tracking` and `quiet` do what their names say. Only `sft` and
`loss` import torch when they are imported, and they are imported when training starts.
"""

from truetune.backends.trl.trainer import TrlTrainer

__all__ = ["TrlTrainer"]
