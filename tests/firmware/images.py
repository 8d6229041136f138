"""Images and state for the tests of this room."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

from station.firmware.image import FORMAT, PRODUCT
from station.firmware.slots import MANIFEST

FILES: dict[str, bytes] = {
    "manage.py": b"print('here')\n",
    "station/__init__.py": b'__version__ = "2.0"\n',
    "station/firmware/slots.py": b"",
    "webui/a.py": b"A = 1\n",
}


def manifest(files: dict[str, bytes], **more: Any) -> dict[str, Any]:
    described = {
        name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()} for name, content in files.items()
    }
    return {"format": FORMAT, "product": PRODUCT, "version": "2.0", "files": described, **more}


def member(name: str, content: bytes = b"", **more: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in more.items():
        setattr(info, key, value)
    return info, content


def archive(members: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), mtime=0)


def image(files: dict[str, bytes] | None = None, told: Any = None, *more: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """An image of ``files`` whose manifest is ``told`` (default: the right one), with ``more`` members at its end."""
    files = FILES if files is None else files
    text = told if isinstance(told, bytes) else json.dumps(manifest(files) if told is None else told).encode()
    return archive([member(MANIFEST, text), *(member(name, content) for name, content in files.items()), *more])


def version_of(place: Path) -> str:
    """A self-check that only reads."""
    return (place / "station" / "__init__.py").read_text().split('"')[1]
