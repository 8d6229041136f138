"""The rules that the CSMS's certificate is held to beyond OpenSSL's (A00.FR.309, .501 to .504)."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, x25519

from station.uplink import peer
from station.uplink.peer import PeerUnfit
from tests.uplink.forge import Made, ec_key, make, outdated, rsa_key, usage

ROOT = make("Root", ca=True)
RSA_ROOT = make("RSA Root", ca=True, key=rsa_key())


def judged(made: Made, host: str = "csms.example.com", *, wildcards: bool = False) -> str:
    """Why it is refused; empty where it is not."""
    chain = made.chain()
    root = chain[-1].issuer or chain[-1]
    links = [one.certificate for one in (chain if chain[-1] is root else [*chain, root])]
    try:
        peer.check(links, host, wildcards=wildcards)
    except PeerUnfit as unfit:
        return str(unfit)
    return ""


def name(cn: str | None, *names: str | x509.GeneralName) -> Made:
    return make(cn, ROOT, names=names)


@pytest.mark.parametrize(
    ("made", "host"),
    [
        (name("csms.example.com"), "csms.example.com"),
        (name("CSMS.example.com"), "csms.EXAMPLE.com"),
        (name("csms.example.com"), "csms.example.com."),
        (name("other", "csms.example.com"), "csms.example.com"),
        (name("other", "a.example.com", "csms.example.com", "10.0.0.1"), "csms.example.com"),
        (name("other", "10.0.0.1"), "10.0.0.1"),
        (name("other", "2001:db8::1"), "2001:0db8:0:0:0:0:0:1"),
        (name("10.0.0.1"), "10.0.0.1"),
        (name("xn--bcher-kva.example.com"), "xn--bcher-kva.example.com"),
        (name("csms.example.com", x509.RFC822Name("x@example.com")), "csms.example.com"),
    ],
)
def test_names_that_fit(made: Made, host: str) -> None:
    assert judged(made, host) == ""


@pytest.mark.parametrize(
    ("made", "host"),
    [
        (name(None), "csms.example.com"),
        (name("csms.example.com", "other.example.com"), "csms.example.com"),
        (name("csms.example.com", "10.0.0.1"), "csms.example.com"),
        (name("10.0.0.1", "csms.example.com"), "10.0.0.1"),
        (name("x", x509.DNSName("10.0.0.1")), "10.0.0.1"),
        (name("csms.example.com.evil.test"), "csms.example.com"),
        (name("csms.example.com "), "csms.example.com"),
        (name("x", x509.UniformResourceIdentifier("wss://csms.example.com")), "csms.example.com"),
        (name(".example.com"), "csms.example.com"),
        (name("csms.example.com"), ""),
    ],
)
def test_names_that_do_not_fit(made: Made, host: str) -> None:
    assert "not for" in judged(made, host)
    assert "not for" in judged(made, host, wildcards=True)


def test_a_wildcard_needs_leave() -> None:
    """AllowCSMSTLSWildcards (errata 2025-02)."""
    for made in (name("*.example.com"), name("x", "*.example.com")):
        assert "wildcard" in judged(made)
        assert judged(made, wildcards=True) == ""


@pytest.mark.parametrize(
    "pattern",
    ["*", "*.com", "*.*.com", "c*.example.com", "*s.example.com", "csms.*.com", "**.example.com", "*.csms.example.com"],
)
def test_wildcards_that_stand_for_nothing(pattern: str) -> None:
    assert "not for" in judged(name("x", pattern), wildcards=True)


@pytest.mark.parametrize("host", ["example.com", "a.b.example.com", ".example.com"])
def test_a_wildcard_stands_for_one_label(host: str) -> None:
    assert "not for" in judged(name("x", "*.example.com"), host, wildcards=True)


def test_a_wildcard_for_a_top_level_domain_stands_for_nothing() -> None:
    assert "not for" in judged(name("x", "*.com"), "example.com", wildcards=True)


HOST = "csms.example.com"


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (make(HOST, ROOT, key=rsa_key(1024)), "too short"),
        (make(HOST, ROOT, key=ec_key(ec.SECP192R1())), "too short"),
        (outdated(make(HOST, RSA_ROOT), hashes.SHA1()), "sha1"),  # noqa: S303
        (outdated(make(HOST, RSA_ROOT), hashes.MD5()), "md5"),  # noqa: S303
        (make(HOST, outdated(make("Middle", RSA_ROOT, ca=True), hashes.SHA1())), "sha1"),  # noqa: S303
        (make(HOST, make("Middle", ROOT, ca=False)), "not a certificate authority"),
        (make(HOST, make("Middle", ROOT, ca=None)), "not a certificate authority"),
        (make(HOST, make("Middle", ROOT, ca=True, extensions=[usage(crl_sign=True)])), "key usage"),
    ],
)
def test_what_is_too_weak_or_not_what_it_says(made: Made, why: str) -> None:
    assert why in judged(made)


@pytest.mark.parametrize(
    "key",
    [rsa_key(), ec_key(ec.SECP224R1()), ec_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()],
)
def test_keys_that_are_strong_enough(key) -> None:
    assert judged(make(HOST, ROOT, key=key)) == ""


def test_keys_of_other_kinds() -> None:
    assert "too short" in judged(make(HOST, ROOT, key=dsa.generate_private_key(1024)))  # noqa: S505
    assert "unknown kind" in judged(make(HOST, ROOT, key=x25519.X25519PrivateKey.generate()))


def test_a_root_may_sign_itself_with_what_was_good_then() -> None:
    """Nobody relies on the signature of a trust anchor."""
    old = make("Old Root", ca=True, key=rsa_key())
    old = outdated(Made(old.certificate, old.key, Made(old.certificate, old.key)), hashes.SHA1())  # noqa: S303
    assert judged(make(HOST, Made(old.certificate, old.key))) == ""


def test_no_certificate_at_all() -> None:
    with pytest.raises(PeerUnfit, match="no certificate"):
        peer.check([], HOST)


def test_a_name_that_is_hostile_does_no_harm() -> None:
    text = judged(name("x\n\x1b[31mevil"))
    assert "\n" not in text
    assert "\x1b" not in text
