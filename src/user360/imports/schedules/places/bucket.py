"""A bucket of S3, or of a server that understands it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from user360.errors import Unavailable
from user360.imports.schedules.places import CHANGED, CHUNK, Found, meant
from user360.imports.schedules.schedule import Bucket

if TYPE_CHECKING:
    from obstore.store import S3Config, S3Store

CONNECT, REQUEST = "15s", "60s"
TRIES = 2
GONE = "There is no such bucket, or the file is gone"


class BucketReader:
    """Reads the objects right beneath a prefix; their version is their ETag."""

    def __init__(self, place: Bucket) -> None:
        self._place = place
        with _told():
            self._store = _store(place)

    def look(self) -> list[Found]:
        """See `Reader.look`."""
        import obstore

        with _told():
            listed = obstore.list_with_delimiter(self._store, self._place.prefix or None)
        found = []
        for each in listed["objects"]:
            name = each["path"].rpartition("/")[2]
            version = each["e_tag"] or f"{each['size']}-{each['last_modified']:%Y%m%d%H%M%S}"
            if meant(name, self._place.pattern):
                found.append(Found(name, version.strip('"'), each["size"]))
        return sorted(found, key=lambda each: each.name)

    def fetch(self, found: Found, target: Path, check: Callable[[], None]) -> None:
        """See `Reader.fetch`."""
        import obstore

        path = "/".join(filter(None, [self._place.prefix.strip("/"), found.name]))
        with _told(), target.open("wb") as copy:
            given = obstore.get(self._store, path)
            if given.meta["e_tag"] and given.meta["e_tag"].strip('"') != found.version:
                raise Unavailable(CHANGED)
            for data in given.stream(min_chunk_size=CHUNK):
                check()
                copy.write(data)


def _store(place: Bucket) -> S3Store:
    """What is not said is nothing, never what the server's own environment holds."""
    from datetime import timedelta

    from obstore.store import S3Store

    config: S3Config = {"region": place.region, "virtual_hosted_style_request": False}
    if place.endpoint:
        config["endpoint"] = place.endpoint
        config["aws_endpoint_url_s3"] = place.endpoint
    if place.access_key:
        config["access_key_id"] = place.access_key
        config["secret_access_key"] = place.secret_key
    else:
        config["skip_signature"] = True
    return S3Store(
        place.bucket,
        config=config,
        client_options={
            "allow_http": place.endpoint.startswith("http://"),
            "connect_timeout": CONNECT,
            "timeout": REQUEST,
        },
        retry_config={"max_retries": TRIES, "retry_timeout": timedelta(seconds=30)},
    )


@contextmanager
def _told() -> Iterator[None]:
    """Say what the store refuses in our own words: its own repeat addresses and answers."""
    from obstore import exceptions

    denied = exceptions.PermissionDeniedError, exceptions.UnauthenticatedError
    try:
        yield
    except exceptions.NotFoundError:
        raise Unavailable(GONE) from None
    except denied:
        raise Unavailable("The bucket does not let these keys in") from None
    except exceptions.BaseError as error:
        if "NoSuchBucket" in str(error):
            raise Unavailable(GONE) from None
        raise Unavailable("The bucket cannot be read at this address with these keys") from None
    except OSError as error:
        raise Unavailable(f"The file cannot be kept: {error.strerror}") from error
