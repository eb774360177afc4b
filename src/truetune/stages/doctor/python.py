"""Is this Python one that truetune supports?"""

from __future__ import annotations

from truetune.core.records import Environment, Finding

_OLDEST = (3, 11)
"""The same as `requires-python` of this package: an environment copied or upgraded by hand can get around pip's check."""


def check_python(environment: Environment) -> list[Finding]:
    """A blocking finding where Python is older than what truetune is written for."""
    major, minor = (int(part) for part in environment.python.split(".")[:2])
    if (major, minor) >= _OLDEST:
        return []
    wanted = ".".join(map(str, _OLDEST))
    return [
        Finding(
            code="doctor.python.unsupported",
            severity="block",
            message=f"this is Python {environment.python}; truetune needs {wanted} or newer",
            evidence={"python": environment.python, "needed": wanted},
            fix=f"python{wanted} -m venv .venv && .venv/bin/pip install 'truetune[train]'",
        )
    ]
