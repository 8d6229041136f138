"""A firmware image: the station's code and what it says of itself, in one file.

A tar archive, compressed with gzip. Its first member is ``manifest.json``::

    {"format": 1, "product": "charging-station", "version": "1.2.0",
     "files": {"manage.py": {"size": 1234, "sha256": "…"}, …}}

Then come exactly these files. An image is signed as OCPP asks, over the whole file (L01.FR.04), and was checked by
that when it gets here; it is read all the same as if anybody had made it: nothing but regular files with plain relative
names that stand in the manifest, each with the size and the hash that stand there.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

from station.domain.versions import is_version
from station.firmware.slots import MANIFEST, sync_folder

FORMAT = 1
PRODUCT = "charging-station"
CONTENT = ("manage.py", "requirements.txt", "station", "hardware", "webui", "templates", "static")
NEEDED = ("manage.py", "station/__init__.py", "station/firmware/slots.py")
VERSION_FILE = "station/__init__.py"
MOST_FILES = 5_000
MOST_BYTES = 64 * 1024 * 1024  # of all files together, unpacked
MANIFEST_BYTES = 1024 * 1024
NAME_LENGTH = 200
CHUNK = 64 * 1024
T = TypeVar("T")

_HASH = re.compile(r"[0-9a-f]{64}")
_VERSION_LINE = re.compile(rb'^__version__ = "[^"]*"$', re.MULTILINE)


class ImageInvalid(Exception):
    """This is no image of this station, or it is damaged; the text says for a person what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Manifest:
    version: str
    files: Mapping[str, tuple[int, str]]  # size and SHA-256 by name
    text: bytes

    @property
    def size(self) -> int:
        """Bytes of all files, unpacked."""
        return sum(size for size, _ in self.files.values())


# ---------------------------------------------------------------------- making


def pack(source: Path, version: str, target: Path, edit: Mapping[str, bytes] | None = None) -> int:
    """Write the code in ``source`` as an image of ``version``; returns its size in bytes.

    ``edit`` replaces or adds files by name. Raises OSError, or ValueError for what can be no version.
    """
    if not is_version(version):
        raise ValueError(f"{version[:60]!a} can be no version: letters, digits and .-_~+ only, at most 50")
    files = dict(_read(source))
    files[VERSION_FILE], found = _VERSION_LINE.subn(f'__version__ = "{version}"'.encode(), files[VERSION_FILE])
    if not found:
        raise ValueError(f"{VERSION_FILE} does not say its version")
    files |= edit or {}
    described = {
        name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()} for name, content in files.items()
    }
    manifest = {"format": FORMAT, "product": PRODUCT, "version": version, "files": described}
    write(target, [(MANIFEST, json.dumps(manifest, indent=1).encode()), *files.items()])
    return target.stat().st_size


def write(target: Path, members: list[tuple[str, bytes]]) -> None:
    """Write an archive of these members in this order, whole or not at all; raises OSError."""
    part = target.with_name(f".{target.name}.part")
    try:
        with (
            part.open("wb") as file,
            gzip.GzipFile("", "wb", 9, file, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for name, content in members:
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(content), 0o644
                archive.addfile(member, io.BytesIO(content))
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _read(source: Path) -> Iterator[tuple[str, bytes]]:
    for top in CONTENT:
        place = source / top
        found = sorted(place.rglob("*")) if place.is_dir() else [place]
        for path in found:
            name = path.relative_to(source)
            hidden = any(part.startswith(".") or part == "__pycache__" for part in name.parts)
            if path.is_file() and not path.is_symlink() and not hidden and path.suffix != ".pyc":
                yield name.as_posix(), path.read_bytes()


# ---------------------------------------------------------------------- reading


def manifest_of(image: Path) -> Manifest:
    """What the image says of itself; raises ImageInvalid, or OSError."""
    with _Members(image) as members:
        return _first(members)


def unpack(image: Path, target: Path, write: Callable[[Path, bytes], None]) -> Manifest:
    """Unpack the image into the new folder ``target``; every file and folder lasts when it returns.

    ``write`` writes one new file so that it lasts. Raises ImageInvalid, or OSError; then ``target`` is to be removed.
    """
    target.mkdir(mode=0o700)
    folders = {target}
    with _Members(image) as members:
        manifest = _first(members)
        missing = dict(manifest.files)
        for member in members:
            wanted = missing.pop(member.name, None)
            if wanted is None:
                raise ImageInvalid(f"{member.name[:80]!a} is in the archive twice, or not in the manifest")
            size, digest = wanted
            if not member.isreg() or member.size != size:
                raise ImageInvalid(f"{member.name} is not the file that the manifest says")
            content = members.content(member)
            if hashlib.sha256(content).hexdigest() != digest:
                raise ImageInvalid(f"{member.name} was changed: its hash is wrong")
            path = target / member.name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            folders.update(parent for parent in path.parents if target in (parent, *parent.parents))
            write(path, content)
    if missing:
        raise ImageInvalid(f"{len(missing)} files are missing, {min(missing)} among them")
    write(target / MANIFEST, manifest.text)
    for place in sorted(folders, key=lambda place: -len(place.parts)):
        sync_folder(place)
    return manifest


def write_lasting(path: Path, content: bytes) -> None:
    """Write a new file, so that it lasts; raises OSError, also where there is one of that name."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


class _Limited:
    """The unpacked archive; one that grows without end is not read without end."""

    def __init__(self, packed: gzip.GzipFile) -> None:
        self._packed = packed
        self.left = MANIFEST_BYTES + 64 * CHUNK

    def read(self, size: int = -1) -> bytes:
        found = self._packed.read(size if 0 <= size <= self.left else self.left + 1)
        self.left -= len(found)
        if self.left < 0:
            raise ImageInvalid("it is larger than it says, or than an image may be")
        return found


class _Members:
    """The archive's members, one after the other; every way of being damaged is ImageInvalid."""

    def __init__(self, image: Path) -> None:
        self._file = image.open("rb")
        self.stream = _Limited(gzip.GzipFile(fileobj=self._file, mode="rb"))
        self._archive: tarfile.TarFile | None = None

    def __enter__(self) -> _Members:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[tarfile.TarInfo]:
        while (member := self._guarded(self._next)) is not None:
            yield member

    def content(self, member: tarfile.TarInfo) -> bytes:
        def read() -> bytes:
            source = self._archive.extractfile(member) if self._archive else None
            content = source.read() if source else b""
            if len(content) != member.size:
                raise EOFError
            return content

        return self._guarded(read)

    def _next(self) -> tarfile.TarInfo | None:
        if self._archive is None:
            self._archive = tarfile.open(fileobj=self.stream, mode="r|")  # type: ignore[call-overload] # noqa: SIM115
        return self._archive.next()

    def _guarded(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except EOFError:
            raise ImageInvalid("it is cut off") from None
        except (tarfile.TarError, gzip.BadGzipFile, zlib.error, ValueError, OverflowError) as error:
            raise ImageInvalid(f"it is no archive, or damaged: {error}") from None


def _first(members: _Members) -> Manifest:
    member = next(iter(members), None)
    if member is None or member.name != MANIFEST or not member.isreg() or member.size > MANIFEST_BYTES:
        raise ImageInvalid(f"it does not begin with {MANIFEST}")
    manifest = parse(members.content(member))
    members.stream.left = manifest.size + 4096 * (len(manifest.files) + 64)
    return manifest


def parse(text: bytes) -> Manifest:
    """The manifest behind its text; raises ImageInvalid."""
    try:
        found = json.loads(text)
        product, form, version, files = (found[name] for name in ("product", "format", "version", "files"))
        described = {name: (one["size"], one["sha256"]) for name, one in files.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ImageInvalid("its manifest cannot be read") from None
    if product != PRODUCT or form != FORMAT:
        raise ImageInvalid(f"it is for another product, or of another format: {str(product)[:40]!a} {str(form)[:10]}")
    if not isinstance(version, str) or not is_version(version):
        raise ImageInvalid(f"its version {str(version)[:60]!a} is none")
    for name, (size, digest) in described.items():
        if not _is_plain(name):
            raise ImageInvalid(f"the name {name[:80]!a} leads out of its folder, or is none")
        if type(size) is not int or size < 0 or not isinstance(digest, str) or not _HASH.fullmatch(digest):
            raise ImageInvalid(f"size or hash of {name} is none")
    manifest = Manifest(version, described, text)
    if len(described) > MOST_FILES or manifest.size > MOST_BYTES:
        raise ImageInvalid(f"it is too large: {len(described)} files, {manifest.size} bytes")
    if absent := [name for name in NEEDED if name not in described]:
        raise ImageInvalid(f"{absent[0]} is missing")
    for name in described:
        if any(str(parent) in described for parent in PurePosixPath(name).parents):
            raise ImageInvalid(f"{name} lies in a file")
    return manifest


def _is_plain(name: str) -> bool:
    """A relative name of printable ASCII, without ``..``, hidden parts and backslashes."""
    parts = name.split("/")
    return (
        0 < len(name) <= NAME_LENGTH
        and name.isascii()
        and name.isprintable()
        and "\\" not in name
        and not any(part == "" or part.startswith(".") for part in parts)
        and PurePosixPath(name).as_posix() == name
        and name != MANIFEST
    )
