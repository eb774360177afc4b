"""Keeps the libraries' progress bars, banners and warnings off the terminal: they go to `logging`."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import TextIO

from transformers.utils import logging as library

_LIBRARIES = ("transformers", "trl", "peft", "accelerate", "datasets", "trackio", "huggingface_hub", "httpx", "py.warnings")


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Route library logs and warnings to `logging`, without progress bars, until the block ends."""
    bars = library.is_progress_bar_enabled()
    level = library.get_verbosity()
    library.disable_default_handler()
    library.enable_propagation()
    library.disable_progress_bar()
    library.set_verbosity_warning()
    for name in _LIBRARIES:
        logging.getLogger(name).addHandler(_nowhere)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.showwarning = _to_logging
            yield
    finally:
        library.set_verbosity(level)
        library.disable_propagation()
        library.enable_default_handler()
        if bars:
            library.enable_progress_bar()
        for name in _LIBRARIES:
            logging.getLogger(name).removeHandler(_nowhere)


@contextmanager
def printing_to_log(name: str) -> Iterator[None]:
    """What the block prints becomes log lines. Only for short blocks: nobody else can print meanwhile."""
    printed = io.StringIO()
    with ExitStack() as stack:
        stack.enter_context(redirect_stdout(printed))
        stack.enter_context(redirect_stderr(printed))
        try:
            yield
        finally:
            for line in printed.getvalue().splitlines():
                logging.getLogger(name).info("%s", line)


def _to_logging(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    logging.getLogger("py.warnings").warning("%s", warnings.formatwarning(message, category, filename, lineno, line).strip())


_nowhere = logging.NullHandler()
"""Without any handler Python prints warnings to stderr; this one keeps them for whoever listens further up."""
