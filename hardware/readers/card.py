"""Cards as a reader hands them over: a kind and a few bytes, none of it to be trusted.

ISO/IEC 14443-3 knows UIDs of 4, 7 and 10 bytes, ISO/IEC 15693 of 8. An EV that tells its MAC address (6 bytes) over the
charging cable counts as a card, too.
"""

from __future__ import annotations

UID_LENGTHS = {"ISO14443": (4, 7, 10), "ISO15693": (8,), "MacAddress": (6,)}


def uid_of(kind: str | None, length: int, octets: bytes) -> str:
    """The UID as upper-case hexadecimal; raises ValueError, saying what is wrong, where this is no card.

    ``kind`` is an OCPP IdTokenEnumType, ``octets`` the reader's bytes with their padding.
    """
    lengths = UID_LENGTHS.get(kind or "")
    if lengths is None:
        raise ValueError(f"no card of a known kind: {kind}")
    if length not in lengths:
        raise ValueError(f"a UID of {kind} has {' or '.join(map(str, lengths))} bytes, not {length}")
    uid = octets[:length]
    if any(octets[length:]):
        raise ValueError(f"bytes after the UID of {length} bytes")
    if not any(uid):
        raise ValueError("the UID is all zeros")
    return uid.hex().upper()


def octets_of(kind: str, uid: str) -> bytes:
    """The bytes of a UID written in hexadecimal; raises ValueError where the reader could not have read it."""
    try:
        octets = bytes.fromhex(uid)
    except ValueError:
        raise ValueError(f"uid {uid!r} is not hexadecimal") from None
    uid_of(kind, len(octets), octets)
    return octets
