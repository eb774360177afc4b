"""Every error a user can meet, as one tree.

    TruetuneError               code, what, why, fix, where; `exit_code` by whose turn it is
    ├── UsageError        (2)   the command line or the project folder
    ├── ConfigError       (2)   truetune.yaml or the contract
    ├── DataError         (2)   a file that cannot be read as data at all
    ├── EnvironmentFault  (3)   this machine: a missing extra, a full disk, no network
    ├── EvidenceError     (1)   something on disk is not what was recorded
    └── UpstreamError     (3)   a library or a service failed under us

A failed gate is a record, never an exception. To add an error: pick the category, give it a dotted code that is
unique in the tree, and write `docs/errors/<code>.md`; a test walks the codes and asks for the page.
"""

from __future__ import annotations

from typing import ClassVar


class TruetuneError(Exception):
    """An error that a user can act on: what happened, why, and what to do, in that order."""

    exit_code: ClassVar[int] = 70
    category: ClassVar[str] = "internal"

    def __init__(self, code: str, what: str, *, why: str = "", fix: str = "", where: str = "") -> None:
        """Keep the parts apart so that the terminal, `--json` and the report can each lay them out.

        Args:
            code: stable dotted code, e.g. `config.unknown_key`; `docs/errors/<code>.md` explains it.
            what: one sentence, what happened.
            why: the cause, where it is known.
            fix: what to do; a command to copy where there is one.
            where: `file:line:column`, or the path of the evidence.
        """
        super().__init__(what)
        self.code = code
        self.what = what
        self.why = why
        self.fix = fix
        self.where = where

    def as_json(self) -> dict[str, str | int]:
        """The error as the one document that `--json` prints."""
        return {
            "error": self.code,
            "category": self.category,
            "what": self.what,
            "why": self.why,
            "fix": self.fix,
            "where": self.where,
            "exit_code": self.exit_code,
        }


class UsageError(TruetuneError):
    """The command was called in a way that cannot work."""

    exit_code = 2
    category = "usage"


class ConfigError(TruetuneError):
    """truetune.yaml or the contract does not say something that can be done."""

    exit_code = 2
    category = "config"


class DataError(TruetuneError):
    """A file cannot be read as training data at all (a single bad row is a finding, not an error)."""

    exit_code = 2
    category = "data"


class EnvironmentFault(TruetuneError):
    """This machine lacks something: a package, disk, memory, permission, network."""

    exit_code = 3
    category = "environment"


class EvidenceError(TruetuneError):
    """Something on disk is not what the record says it is."""

    exit_code = 1
    category = "evidence"


class UpstreamError(TruetuneError):
    """A library or service that we drive failed."""

    exit_code = 3
    category = "upstream"
