"""What the transfer worker does with orders of a firmware, and with those that come again: real files, no Redis."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from channels.layers import get_channel_layer

from station.domain.events import TransferReport
from station.domain.wire import unpack_report
from station.firmware import launcher, slots
from station.firmware.installer import InstallFailed
from station.live import bus
from station.store import spool
from station.transfers import firmware, loop
from station.transfers.tasks import confirm_firmware, download_firmware, install_firmware
from tests.firmware.images import FILES, image, manifest, version_of
from tests.support.file_server import File, FileServer
from tests.support.manufacturer import Manufacturer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

MADE = Manufacturer()
SIGNER = MADE.signer()
CONTENT = image(FILES, manifest(FILES))


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    monkeypatch.delenv(launcher.SLOT, raising=False)
    monkeypatch.setattr("station.firmware.slot_installer.run_self_check", version_of)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer(files={"/f": File(CONTENT)}) as server:
        yield server


def reports() -> list[TransferReport]:
    async def drain() -> list[TransferReport]:
        layer, found = get_channel_layer(), []
        while layer.channels.get(bus.UPLINK) and not layer.channels[bus.UPLINK].empty():
            found.append(unpack_report((await layer.receive(bus.UPLINK))["report"]))
        return found

    return loop.run(drain())


def parameters(server: FileServer, content: bytes = CONTENT, path: str = "/f", **more: Any) -> dict[str, Any]:
    signature = SIGNER.sign(content)
    told = {"url": f"{server.url}{path}", "certificate": SIGNER.pem, "signature": signature, "most_bytes": 1_000_000}
    return {**told, **more}


def downloaded(server: FileServer, transfer_id: str = "", attempt: int = 1, **more: Any) -> tuple[str, list[str]]:
    """Order a download, wait for its end; the transfer and what was reported."""
    transfer_id = transfer_id or str(uuid.uuid4())
    assert download_firmware(transfer_id, attempt, parameters(server, **more)) == "begun"
    found: list[TransferReport] = []

    def over() -> bool:
        found.extend(one for one in reports() if one.transfer_id == transfer_id)
        return bool(found) and found[-1].status not in ("Downloading", "Downloaded")

    wait_until(over, "the download is over", 10)
    assert {one.attempt for one in found} == {attempt}
    return transfer_id, [one.status for one in found]


def test_download_and_verify(server: FileServer, tmp_path: Path) -> None:
    transfer_id, told = downloaded(server)
    assert list(dict.fromkeys(told)) == ["Downloading", "Downloaded", "SignatureVerified"]
    assert (spool.folder(tmp_path, transfer_id) / firmware.FILE).read_bytes() == CONTENT


@pytest.mark.parametrize("salt", [None, 0, 20, 32])
def test_rsa_with_any_salt(server: FileServer, salt: int | None) -> None:
    from tests.support.manufacturer import rsa_key

    signer = MADE.signer(rsa_key())
    signed = {"certificate": signer.pem, "signature": signer.sign(CONTENT, salt=salt)}
    assert downloaded(server, **signed)[1][-1] == "SignatureVerified"


def flipped(content: bytes) -> bytes:
    return content[:100] + bytes([content[100] ^ 1]) + content[101:]


@pytest.mark.parametrize("name", ["a flipped bit", "cut off", "empty", "one byte more", "another file"])
def test_a_file_that_is_not_the_signed_one(server: FileServer, tmp_path: Path, name: str) -> None:
    server.files["/f"].content = {
        "a flipped bit": flipped(CONTENT),
        "cut off": CONTENT[:-1],
        "empty": b"",
        "one byte more": CONTENT + b"\0",
        "another file": b"x" * 1000,
    }[name]
    transfer_id, told = downloaded(server)
    assert told[-1] == "InvalidSignature"
    assert not (spool.folder(tmp_path, transfer_id) / firmware.FILE).exists()


def wrong_signatures() -> dict[str, str]:
    import base64

    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding

    from tests.support.manufacturer import rsa_key

    def text(signature: bytes) -> str:
        return base64.b64encode(signature).decode()

    return {
        "another key": MADE.signer().sign(CONTENT),
        "SHA-512": text(SIGNER.key.sign(CONTENT, ec.ECDSA(hashes.SHA512()))),
        "PKCS#1 v1.5": text(rsa_key().sign(CONTENT, padding.PKCS1v15(), hashes.SHA256())),
        "of nothing": SIGNER.sign(b""),
        "random": text(bytes(range(70))),
        "very long": text(bytes(600)),
    }


@pytest.mark.parametrize("name", wrong_signatures())
def test_a_signature_that_is_not_right(server: FileServer, name: str) -> None:
    signed = {"signature": wrong_signatures()[name]}
    if name == "PKCS#1 v1.5":
        from tests.support.manufacturer import rsa_key

        signed["certificate"] = MADE.signer(rsa_key()).pem
    assert downloaded(server, **signed)[1][-1] == "InvalidSignature"


def test_the_same_order_again_is_only_told_again(server: FileServer) -> None:
    transfer_id, _ = downloaded(server)
    assert download_firmware(transfer_id, 1, parameters(server)) == "known"
    assert [one.status for one in reports()] == ["SignatureVerified"]
    assert len(server.asked) == 1


def test_while_it_runs_nothing_is_begun_twice_and_others_are_served(server: FileServer) -> None:
    server.running.clear()
    transfer_id = str(uuid.uuid4())
    assert download_firmware(transfer_id, 1, parameters(server)) == "begun"
    assert download_firmware(transfer_id, 1, parameters(server)) == "running"
    assert downloaded_quickly(server)
    server.running.set()
    wait_until(lambda: "SignatureVerified" in [one.status for one in reports()], "the download is over", 10)
    assert server.asked.count(("/f", "")) == 1


def downloaded_quickly(server: FileServer) -> bool:
    """Another transfer fails while the first one is held."""
    return downloaded(server, path="/none")[1][-1] == "DownloadFailed"


def test_the_next_attempt_goes_on(server: FileServer) -> None:
    server.files["/f"].cut_after = 300
    transfer_id, told = downloaded(server)
    assert told[-1] == "DownloadFailed"
    server.files["/f"].cut_after = None
    assert downloaded(server, transfer_id, 2)[1][-1] == "SignatureVerified"
    assert server.asked[1][1].startswith("bytes=")


def test_canceled_while_it_runs(server: FileServer, tmp_path: Path) -> None:
    server.running.clear()
    transfer_id = str(uuid.uuid4())
    download_firmware(transfer_id, 1, parameters(server))
    wait_until(lambda: server.asked, "the download has begun", 10)
    spool.cancel(tmp_path, transfer_id)
    wait_until(lambda: transfer_id not in firmware._downloads, "the download has ended", 10)
    assert "Downloaded" not in [one.status for one in reports()]
    assert [path.name for path in spool.folder(tmp_path, transfer_id).iterdir()] == ["canceled"]
    assert download_firmware(transfer_id, 2, parameters(server)) == "canceled"
    assert install_firmware(transfer_id, 3, parameters(server)) == "canceled"


def test_a_file_that_waits_for_weeks_is_not_tidied_away(server: FileServer, tmp_path: Path) -> None:
    import os
    import time

    transfer_id, _ = downloaded(server)
    place = spool.folder(tmp_path, transfer_id)
    os.utime(place, (time.time() - 40 * spool.DAY,) * 2)
    assert spool.clean(tmp_path) == 0
    spool.cancel(tmp_path, transfer_id)
    assert spool.clean(tmp_path) == 1


def test_a_folder_that_cannot_be_made(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("in the way")
    assert downloaded(server)[1][-1] == "DownloadFailed"


# ------------------------------------------------------------------ install, confirm


def test_install_and_confirm(server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    transfer_id, _ = downloaded(server)
    order = parameters(server, patience=60)
    assert install_firmware(transfer_id, 2, order) == "Prepared"
    assert [(one.status, one.detail) for one in reports()] == [("Installing", ""), ("Prepared", "2.0")]
    assert install_firmware(transfer_id, 2, order) == "known"
    assert [one.status for one in reports()] == ["Prepared"]
    assert slots.begin(tmp_path) == ("a", True)
    monkeypatch.setenv(launcher.SLOT, "a")
    assert confirm_firmware(transfer_id, 3, {}) == "Confirmed"
    assert [one.status for one in reports()] == ["Confirmed"]
    assert slots.load(tmp_path).good == "a"


def test_what_changed_since_it_was_verified_is_not_installed(server: FileServer, tmp_path: Path) -> None:
    transfer_id, _ = downloaded(server)
    path = spool.folder(tmp_path, transfer_id) / firmware.FILE
    path.write_bytes(flipped(CONTENT))
    assert install_firmware(transfer_id, 2, parameters(server, patience=60)) == "InstallVerificationFailed"
    assert "changed since" in reports()[-1].detail
    assert slots.begin(tmp_path) == ("factory", False)


def test_what_is_gone_is_not_installed(server: FileServer, tmp_path: Path) -> None:
    transfer_id, _ = downloaded(server)
    (spool.folder(tmp_path, transfer_id) / firmware.FILE).unlink()
    assert install_firmware(transfer_id, 2, parameters(server, patience=60)) == "InstallationFailed"


def test_signed_and_no_image(server: FileServer) -> None:
    content = b"not what you think"
    server.files["/f"].content = content
    transfer_id, told = downloaded(server, content=content)
    assert told[-1] == "SignatureVerified"
    order = parameters(server, content, patience=60)
    assert install_firmware(transfer_id, 2, order) == "InstallVerificationFailed"


def test_a_mistake_of_ours_is_told(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    transfer_id, _ = downloaded(server)
    monkeypatch.setattr("station.firmware.image.manifest_of", lambda _: 1 / 0)
    assert install_firmware(transfer_id, 2, parameters(server, patience=60)) == "InstallationFailed"
    assert "ZeroDivisionError" in reports()[-1].detail


def test_a_confirmation_that_fails_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def confirm(_: Any) -> None:
        raise InstallFailed("no")

    monkeypatch.setattr("station.firmware.slot_installer.SlotInstaller.confirm", confirm)
    reports()
    assert confirm_firmware(str(uuid.uuid4()), 3, {}) == "failed"
    assert reports() == []
