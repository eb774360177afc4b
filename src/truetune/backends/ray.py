"""The data gate's per-row work on a Ray cluster: the rows are laid out as Parquet shards, and Ray Data maps over them."""

from __future__ import annotations

import logging
import os
import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from truetune.core.errors import EnvironmentFault
from truetune.core.ports import RowColumns
from truetune.evidence.scratch import scratch_folder

R = TypeVar("R")

_BATCHES_PER_SHARD = 8
_COLUMNS = tuple(field.name for field in fields(RowColumns))


class RayRows:
    """Runs work on the cluster that `$RAY_ADDRESS` names, or on one that is started for it on this machine."""

    def __init__(self, shards_dir: Path | None = None, cpus: int | None = None) -> None:
        """Nothing is started before there is work.

        Args:
            shards_dir: a folder that every machine of the cluster sees at the same path; None is where temporary files go.
            cpus: how many a cluster on this machine has; None for all.
        """
        self._shards_dir = shards_dir or Path(tempfile.gettempdir())
        self._cpus = cpus

    def map(self, work: Callable[[RowColumns], R], batches: Iterable[RowColumns]) -> Iterator[R]:
        """The results in the order of the rows; a batch is what Ray reads of a shard at once.

        Raises:
            EnvironmentFault: Ray is not installed, or there is no room for the shards.
        """
        with scratch_folder(self._shards_dir, "truetune-shards") as folder:
            shards = _write_shards(batches, folder)
            if not shards:
                return
            with _cluster(self._cpus) as ray_data:
                dataset = ray_data.read_parquet(shards, override_num_blocks=len(shards))
                results = dataset.map_batches(_Applied(work), batch_format="pyarrow", batch_size=None)
                for block in results.iter_batches(batch_format="pyarrow", batch_size=None):
                    for content in block.column("result").to_pylist():
                        yield from pickle.loads(content)


class _Applied:
    """Work on Parquet's columns, with its results as a column."""

    def __init__(self, work: Callable[[RowColumns], Any]) -> None:
        self._work = work

    def __call__(self, table: Any) -> Any:
        import pyarrow as pa

        parts = table.select(_COLUMNS).to_batches()
        results = [self._work(RowColumns(*(part.column(name).to_pylist() for name in _COLUMNS))) for part in parts]
        return pa.table({"result": [pickle.dumps(results)]})


def _write_shards(batches: Iterable[RowColumns], folder: Path) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from truetune.evidence import atomic

    written: list[str] = []
    remaining = iter(batches)
    while shard := list(islice(remaining, _BATCHES_PER_SHARD)):
        path = folder / f"{len(written):06}.parquet"
        tables = [pa.table({name: list(getattr(batch, name)) for name in _COLUMNS}) for batch in shard]
        with atomic.writing(path):
            pq.write_table(pa.concat_tables(tables), path)
        written.append(str(path))
    return written


@contextmanager
def _cluster(cpus: int | None) -> Iterator[Any]:
    """Ray Data, quiet and with nothing sent home, on a cluster that is left as it was found."""
    if find_spec("ray") is None:
        raise EnvironmentFault(
            "environment.missing_extra",
            "running the data gate on Ray needs the package `ray`",
            why="it comes with the extra `ray`, which is not installed",
            fix="pip install 'truetune[ray]', or leave `data.engine` at `local`",
        )
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray
    import ray.data

    is_ours = not ray.is_initialized()
    if is_ours:
        is_here = not os.environ.get("RAY_ADDRESS")
        ray.init(num_cpus=cpus if is_here else None, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    logging.getLogger("ray").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    try:
        yield ray.data
    finally:
        if is_ours:
            ray.shutdown()
