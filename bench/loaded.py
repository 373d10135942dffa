"""Data directories that hold a population, made once through the product's bulk path and kept.

They are kept by size alone: after a change of how the product stores things, delete the cache.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from bench import population
from bench.population import Size
from user360.ingest import bulk
from user360.platform import Platform
from user360.records import store
from user360.records.properties import FIRST_CUSTOM_ID, Property, Type
from user360.storage.ledger import Connection

_DECLARED = {"plan": Type.STRING, "lifetimeValue": Type.NUMBER}


def directory(cache: Path, size: Size) -> Path:
    """The directory with this population, made first when it is not there yet."""
    kept = cache / f"data-{size}"
    if not kept.exists():
        part = kept.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        make(part, size)
        part.rename(kept)
    return kept


@contextlib.contextmanager
def copy(cache: Path, size: Size) -> Iterator[Path]:
    """A copy of that directory to write to, thrown away afterwards."""
    kept = directory(cache, size)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        subprocess.run(["cp", "-r", "--reflink=auto", kept, f"{folder}/data"], check=True)
        yield Path(folder) / "data"


def make(path: Path, size: Size) -> None:
    """Load the population into a new directory, and wait until the warehouse shows it."""
    with Platform.open(path) as platform:
        platform.write(lambda connection: declare(platform, connection))
        bulk.load(
            platform,
            platform.default,
            (_named(batch) for batch in population.records(size)),
            (_of_people(batch) for batch in population.events(size)),
            _told,
        )
        platform.projector.wait(platform.committer.position.last, 3_600)


def declare(platform: Platform, connection: Connection) -> None:
    """Declare the custom properties of the population."""
    workspace = platform.default
    for number, (name, kind) in enumerate(_DECLARED.items(), FIRST_CUSTOM_ID):
        declared = Property(number, name, kind)
        store.save_property(connection, workspace.id, declared, platform.now())
    workspace.load(connection)


def _named(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.rename_columns(["user_id", *batch.schema.names[1:]])


def _of_people(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Events with the userId of their person in place of its number."""
    number = pc.utf8_lpad(batch["record"].cast(pa.string()), width=8, padding="0")
    user_ids = pc.binary_join_element_wise("u", number, "")
    return batch.set_column(0, "user_id", user_ids)


def _told(what: str, count: int) -> None:
    print(f"  loaded {count:,} {what}   ", end="\r", flush=True)
