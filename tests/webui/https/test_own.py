"""Certificates from outside: which fit, and what is said of those that do not."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.webui.https.making import LEAF, MIDDLE, NOW, ROOT, Made
from webui.https import own

RSA = Made("station.example.com", MIDDLE, kind="rsa2048", names=("10.1.2.3",))
OTHER = Made("Other", ca=True)


@pytest.mark.parametrize(
    "content",
    [
        LEAF.key_pem() + LEAF.pem + MIDDLE.pem,
        LEAF.pem + MIDDLE.pem + LEAF.key_pem(),
        MIDDLE.pem + ROOT.pem + LEAF.pem + LEAF.key_pem(form=serialization.PrivateFormat.TraditionalOpenSSL),
        b"Bag Attributes\n  friendlyName: x\n" + LEAF.pem.replace(b"\n", b"\r\n") + MIDDLE.pem + LEAF.key_pem(),
    ],
    ids=["as it should be", "key last", "any order, with the root", "from Windows"],
)
def test_those_that_fit(content: bytes) -> None:
    found = own.read(content, now=NOW)
    assert [own.called(one) for one in found.chain] == ["station.example.com", "Middle"]
    assert own.read(found.pem(), now=NOW).chain == found.chain


def test_with_a_password_with_rsa_and_self_signed() -> None:
    assert own.read(LEAF.key_pem("s3cret") + LEAF.pem + MIDDLE.pem, "s3cret", NOW).chain
    assert b"ENCRYPTED" not in own.read(LEAF.key_pem("s3cret") + LEAF.pem + MIDDLE.pem, "s3cret", NOW).pem()
    assert own.read(RSA.key_pem() + RSA.pem + MIDDLE.pem, now=NOW).chain
    alone = Made("station.lan", names=("station.lan",))
    assert len(own.read(alone.key_pem() + alone.pem, now=NOW).chain) == 1
    assert len(own.read(LEAF.key_pem() + LEAF.pem, now=NOW).chain) == 1  # its issuer may be a root


def leaf(**differently: object) -> bytes:
    made = Made("station.example.com", MIDDLE, **differently)  # type: ignore[arg-type]
    return made.key_pem() + made.pem + MIDDLE.pem


@pytest.mark.parametrize(
    ("content", "password", "said"),
    [
        (b"", "", "no private key"),
        (b"\x00\xff" * 500, "", "no private key"),
        (LEAF.pem + MIDDLE.pem, "", "no private key"),
        (LEAF.key_pem(), "", "no certificate"),
        (LEAF.key_pem()[:120], "", "cannot be read"),
        (LEAF.key_pem() + RSA.key_pem() + LEAF.pem, "", "several private keys"),
        (LEAF.key_pem("s3cret") + LEAF.pem, "", "protected by a password"),
        (LEAF.key_pem("s3cret") + LEAF.pem, "wrong", "cannot be opened"),
        (LEAF.key_pem() + LEAF.pem, "s3cret", "leave that field empty"),
        (MIDDLE.key_pem() + LEAF.pem, "", "does not belong to any"),
        (LEAF.key_pem() + LEAF.pem + ROOT.pem, "", "has a gap: station.example.com"),
        (LEAF.key_pem() + LEAF.pem + MIDDLE.pem + OTHER.pem, "", "has a gap: Middle"),
        (LEAF.key_pem() + LEAF.pem + MIDDLE.pem + ROOT.pem + OTHER.pem, "", "Other does not belong"),
        (LEAF.key_pem() + LEAF.pem * 9, "", "too many"),
        (leaf(days=(-90, -1)), "", "has expired"),
        (leaf(days=(1, 90)), "", "Is the station's clock right?"),
        (leaf(names=()), "", "names no host"),
        (leaf(usage=ExtendedKeyUsageOID.CLIENT_AUTH), "", "not meant for servers"),
        (MIDDLE.key_pem() + MIDDLE.pem + ROOT.pem, "", "of an authority"),
        (leaf(kind="rsa1024"), "", "1024 bits"),
        (leaf(kind="P-192"), "", "this kind of key"),
        (leaf(kind="ed25519"), "", "this kind of key"),
    ],
)
def test_those_that_do_not(content: bytes, password: str, said: str) -> None:
    with pytest.raises(own.Unfit) as refused:
        own.read(content, password, NOW)
    assert said in str(refused.value)
