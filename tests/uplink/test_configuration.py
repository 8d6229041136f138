"""Where to connect to."""

import pytest

from station.domain.network import NetworkProfile
from station.uplink.configuration import by_priority, connection_url

ONE, TWO, THREE = (NetworkProfile(slot, f"ws://csms{slot}", 1) for slot in (1, 2, 3))


@pytest.mark.parametrize(
    ("csms_url", "identity", "url"),
    [
        # part 4, section 3.1.1
        ("ws://csms.example.com/ocpp", "CS001", "ws://csms.example.com/ocpp/CS001"),
        ("wss://csms.example.com/ocppj", "RDAM 123", "wss://csms.example.com/ocppj/RDAM%20123"),
        ("ws://127.0.0.1:9000", "CS001", "ws://127.0.0.1:9000/CS001"),
        ("ws://127.0.0.1:9000/", "CS001", "ws://127.0.0.1:9000/CS001"),
        ("ws://[::1]:9000/a/b/", "a/../b?c#d", "ws://[::1]:9000/a/b/a%2F..%2Fb%3Fc%23d"),
        ("ws://host/p?tenant=7#x", "CS|1@x", "ws://host/p/CS%7C1%40x?tenant=7"),
        ("ws://user:secret@host/p", "CS", "ws://host/p/CS"),
    ],
)
def test_connection_url(csms_url, identity, url):
    assert connection_url(csms_url, identity) == url


def test_priority():
    assert by_priority([ONE, TWO, THREE], (3, 1)) == [THREE, ONE]
    assert by_priority([ONE, TWO], (3, 2)) == [TWO]


def test_priority_that_names_nothing_useful_does_not_strand_the_station():
    assert by_priority([TWO, ONE], (3,)) == [ONE, TWO]
    assert by_priority([], (1,)) == []
