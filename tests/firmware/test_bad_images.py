"""Images that are signed and must not be installed all the same: refused, and nothing is left of them."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from station.firmware import image as images
from station.firmware import slots
from station.firmware.installer import InstallFailed, InstallRefused, Order
from station.firmware.slot_installer import SlotInstaller
from tests.firmware.images import FILES, archive, image, manifest, member, version_of

DIGEST = hashlib.sha256(b"").hexdigest()


def told(**files: Any) -> dict[str, Any]:
    """The right manifest, with more files in it."""
    found = manifest(FILES)
    found["files"].update({name: {"size": 0, "sha256": DIGEST} for name in files.get("names", ())})
    return found


def changed(name: str, **entry: Any) -> dict[str, Any]:
    found = manifest(FILES)
    found["files"][name].update(entry)
    return found


def named(name: str) -> bytes:
    """An image with an empty file of that name, in the manifest and in the archive."""
    return image(FILES, told(names=[name]), member(name))


def without(name: str) -> dict[str, bytes]:
    return {other: content for other, content in FILES.items() if other != name}


def bomb() -> bytes:
    """A name of the manifest, and behind it more than anybody would unpack."""
    big = tarfile.TarInfo("webui/b.py")
    big.size = 400 * 1024 * 1024
    found = told(names=["webui/b.py"])
    found["files"]["webui/b.py"]["size"] = 10
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        text = __import__("json").dumps(found).encode()
        tar.addfile(*_with_stream(member("manifest.json", text)))
        for name, content in FILES.items():
            tar.addfile(*_with_stream(member(name, content)))
        raw.write(big.tobuf())
    return __import__("gzip").compress(raw.getvalue() + bytes(8 * 1024 * 1024))


def _with_stream(one: tuple[tarfile.TarInfo, bytes]) -> tuple[tarfile.TarInfo, io.BytesIO]:
    return one[0], io.BytesIO(one[1])


def long_header() -> bytes:
    """A PAX header of many megabytes before the first member."""
    info, content = member("manifest.json", b"{}")
    info.pax_headers = {"comment": "x" * 30_000_000}
    return archive([(info, content)])


BAD: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "no archive": lambda: b"\x7fELF" + bytes(5000),
    "gzip of no archive": lambda: __import__("gzip").compress(os.urandom(5000)),
    "cut off in a file": lambda: image()[:-40],
    "cut off at the head": lambda: image()[:20],
    "a damaged byte": lambda: image()[:200] + bytes([image()[200] ^ 255]) + image()[201:],
    "no manifest": lambda: archive([member(name, content) for name, content in FILES.items()]),
    "the manifest last": lambda: archive(
        [*(member(name, content) for name, content in FILES.items()), member("manifest.json", b"{}")]
    ),
    "a manifest that is no JSON": lambda: image(FILES, b"{"),
    "a manifest that is a list": lambda: image(FILES, b"[]"),
    "a manifest nested a million times": lambda: image(FILES, b"[" * 1_000_000),
    "another product": lambda: image(FILES, manifest(FILES, product="toaster")),
    "a format of the future": lambda: image(FILES, manifest(FILES, format=2)),
    "no version": lambda: image(FILES, manifest(FILES, version="")),
    "a version with a path in it": lambda: image(FILES, manifest(FILES, version="../../2")),
    "a version that is a number": lambda: image(FILES, manifest(FILES, version=2)),
    "an older version": lambda: image(
        {**FILES, "station/__init__.py": b'__version__ = "1.4"\n'},
        manifest({**FILES, "station/__init__.py": b'__version__ = "1.4"\n'}, version="1.4"),
    ),
    "another version than its code": lambda: image(FILES, manifest(FILES, version="3.0")),
    "../": lambda: named("../evil.py"),
    "../ in the middle": lambda: named("station/../../evil.py"),
    "an absolute name": lambda: named("/tmp/evil.py"),  # noqa: S108
    "a backslash": lambda: named("..\\evil.py"),
    "a hidden file": lambda: named("station/.evil.py"),
    "a dot in the path": lambda: named("station/./evil.py"),
    "an empty part": lambda: named("station//evil.py"),
    "the manifest itself": lambda: named("manifest.json"),
    "a very long name": lambda: named("webui/" + "x" * 250),
    "a name with a line break": lambda: named("webui/x\n.py"),
    "a name that is a folder of another": lambda: named("webui/a.py/b.py"),
    "a symbolic link": lambda: image(
        without("webui/a.py"), manifest(FILES), member("webui/a.py", type=tarfile.SYMTYPE, linkname="/etc/passwd")
    ),
    "a hard link": lambda: image(
        without("webui/a.py"), manifest(FILES), member("webui/a.py", type=tarfile.LNKTYPE, linkname="manage.py")
    ),
    "a device": lambda: image(without("webui/a.py"), manifest(FILES), member("webui/a.py", type=tarfile.CHRTYPE)),
    "a folder": lambda: image(without("webui/a.py"), manifest(FILES), member("webui/a.py", type=tarfile.DIRTYPE)),
    "a file that is not in the manifest": lambda: image(FILES, None, member("webui/evil.py")),
    "a link that is not in the manifest": lambda: image(
        FILES, None, member("webui", type=tarfile.SYMTYPE, linkname="/etc")
    ),
    "a file twice": lambda: image(FILES, None, member("webui/a.py", b"A = 1\n")),
    "a file that is missing": lambda: image(without("webui/a.py"), manifest(FILES)),
    "no manage.py": lambda: image(without("manage.py")),
    "another size": lambda: image(FILES, changed("webui/a.py", size=7)),
    "a negative size": lambda: image(FILES, changed("webui/a.py", size=-1)),
    "another hash": lambda: image(FILES, changed("webui/a.py", sha256=DIGEST)),
    "a hash that is none": lambda: image(FILES, changed("webui/a.py", sha256="x")),
    "too large": lambda: image(FILES, changed("webui/a.py", size=images.MOST_BYTES + 1)),
    "too many files": lambda: image(FILES, told(names=[f"webui/{n}.py" for n in range(images.MOST_FILES)])),
    "a bomb in a file": bomb,
    "a bomb in a header": long_header,
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def install(data: Path, content: bytes, **how: Any) -> str:
    (data / "x.img").write_bytes(content)
    installer = SlotInstaller(data, "1.5", "factory", version_of, **{"sync": lambda: None, **how})
    return installer.install(Order(data / "x.img", "x", 60.0))


def nothing_is_left(data: Path) -> None:
    state = slots.load(data)
    assert (state.good, state.slots, state.trial) == ("factory", {}, None)
    assert slots.begin(data) == ("factory", False)
    left = {str(path.relative_to(data)) for path in data.rglob("*")}
    assert left <= {"x.img", "firmware", "firmware/state.json"}, left
    assert not list(data.parent.glob("*evil*"))


@pytest.mark.parametrize("name", BAD)
def test_a_bad_image(data: Path, name: str) -> None:
    with pytest.raises(InstallRefused) as refused:
        install(data, BAD[name]())
    assert str(refused.value)
    nothing_is_left(data)


def test_a_good_one(data: Path) -> None:
    assert install(data, image()) == "2.0"
    assert slots.begin(data) == ("a", True)
    assert (data / "firmware" / "a" / "webui" / "a.py").read_bytes() == FILES["webui/a.py"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in (data / "firmware").rglob("*") if path.is_dir())


def test_the_disk_is_full_before(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9 - 1, 1))
    with pytest.raises(InstallFailed, match="the disk is full"):
        install(data, image())
    nothing_is_left(data)


def test_the_disk_becomes_full(data: Path) -> None:
    written: list[Path] = []

    def write(path: Path, content: bytes) -> None:
        written.append(path)
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        images.write_lasting(path, content)

    with pytest.raises(InstallFailed, match="No space left"):
        install(data, image(), write=write)
    nothing_is_left(data)


def test_the_flash_keeps_something_else(data: Path) -> None:
    with pytest.raises(InstallFailed, match="cannot be read back"):
        install(data, image(), write=lambda path, content: path.write_bytes(content.replace(b"A = 1", b"A = 2")))
    nothing_is_left(data)


def test_a_link_that_lies_in_the_way(data: Path) -> None:
    (data / "firmware").mkdir()
    (data / "firmware" / "a").symlink_to(data.parent)
    with pytest.raises(InstallFailed):
        install(data, image())
    assert sorted(path.name for path in data.parent.iterdir()) == ["data"]


def test_what_it_says_of_itself_when_it_runs(data: Path) -> None:
    def check(place: Path) -> str:
        raise InstallRefused("its self-check fails: no")

    (data / "x.img").write_bytes(image())
    with pytest.raises(InstallRefused, match="self-check"):
        SlotInstaller(data, "1.5", "factory", check, sync=lambda: None).install(Order(data / "x.img", "x", 60.0))
    nothing_is_left(data)


def test_nothing_is_installed_beside_a_trial(data: Path) -> None:
    install(data, image())
    with pytest.raises(InstallFailed, match="on trial"):
        install(data, image())
