"""What is said over MQTT, and what is understood."""

from __future__ import annotations

import json

import pytest

from tests.webui.making import charging, free, station, waiting
from webui.neighbourhood import topics
from webui.neighbourhood.topics import BadOrder, Order

BASE = "garage/box"
LIVE = station(charging(1, current_max=32.0), free(2, current_max=16.0, limit=10.0))


def test_states_of_all_evses() -> None:
    said = topics.states(BASE, LIVE)
    assert said[f"{BASE}/csms"] == "ON"
    assert said[f"{BASE}/evse/1/power"] == "7312"
    assert said[f"{BASE}/evse/1/state"] == "charging"
    assert (said[f"{BASE}/evse/1/charge"], said[f"{BASE}/evse/2/charge"]) == ("ON", "OFF")
    assert (said[f"{BASE}/evse/1/limit"], said[f"{BASE}/evse/2/limit"]) == ("32.0", "10.0")
    assert said[f"{BASE}/evse/1/reason"] == ""
    assert topics.states(BASE, station(waiting(1)))[f"{BASE}/evse/1/reason"].endswith(".")
    assert topics.states(BASE, station(connected=False))[f"{BASE}/csms"] == "OFF"
    assert not any("04A2" in text for text in said.values()), "whose card it is stays in the station"


@pytest.mark.parametrize(
    ("topic", "payload", "order"),
    [
        ("evse/1/charge/set", b"ON", Order(1, "start")),
        ("evse/2/charge/set", b"off ", Order(2, "stop")),
        ("evse/1/unlock/set", b"PRESS", Order(1, "unlock")),
        ("evse/1/limit/set", b"10.5", Order(1, "limit", 10.5)),
        ("evse/1/limit/set", b"0", Order(1, "limit", 0.0)),
        ("evse/2/limit/set", b"16", Order(2, "limit", None)),  # the rating: that is no limit
    ],
)
def test_orders(topic: str, payload: bytes, order: Order) -> None:
    assert topics.order(BASE, f"{BASE}/{topic}", payload, retained=False, live=LIVE) == order


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("evse/3/charge/set", b"ON"),
        ("evse/0/charge/set", b"ON"),
        ("evse/1/charge/set", b""),
        ("evse/1/charge/set", b"\xff\xfe"),
        ("evse/1/charge/set", b"ON" * 1000),
        ("evse/1/charge", b"ON"),
        ("evse/1/unlock/set", b"ON"),
        ("evse/1/limit/set", b"5.9"),
        ("evse/1/limit/set", b"-1"),
        ("evse/1/limit/set", b"nan"),
        ("evse/1/limit/set", b"inf"),
        ("evse/1/limit/set", b"a lot"),
        ("evse/1/explode/set", b"1"),
        ("evse/1/limit/set/more", b"10"),
    ],
)
def test_what_is_no_order_says_why(topic: str, payload: bytes) -> None:
    with pytest.raises(BadOrder, match=r"\w{2,}"):
        topics.order(BASE, f"{BASE}/{topic}", payload, retained=False, live=LIVE)


def test_a_retained_start_starts_nothing() -> None:
    for what, payload in (("charge", b"ON"), ("unlock", b"PRESS")):
        with pytest.raises(BadOrder, match="retained"):
            topics.order(BASE, f"{BASE}/evse/1/{what}/set", payload, retained=True, live=LIVE)
    assert topics.order(BASE, f"{BASE}/evse/1/limit/set", b"6", retained=True, live=LIVE).current == 6.0


def test_home_assistant_finds_sensors_and_with_control_more() -> None:
    reading = topics.discovery(BASE, "homeassistant", LIVE, control=False, wanted=True)
    doing = topics.discovery(BASE, "homeassistant", LIVE, control=True, wanted=True)
    assert reading.keys() == doing.keys()
    only = {topic.split("/")[1] for topic, text in doing.items() if not reading[topic]}
    assert only == {"switch", "button", "number"}
    power = json.loads(doing["homeassistant/sensor/garage-box/evse1_power/config"])
    assert power["state_topic"] == f"{BASE}/evse/1/power"
    assert (power["unit_of_measurement"], power["device_class"]) == ("W", "power")
    limit = json.loads(doing["homeassistant/number/garage-box/evse2_limit/config"])
    assert (limit["command_topic"], limit["max"], limit["min"]) == (f"{BASE}/evse/2/limit/set", 16.0, 0)
    said = topics.states(BASE, LIVE)
    unique = set()
    for text in doing.values():
        config = json.loads(text)
        assert config.get("state_topic", f"{BASE}/csms") in said
        assert config["availability_topic"] == f"{BASE}/availability"
        assert config["name"]
        unique.add(config["unique_id"])
        if "command_topic" in config:
            assert topics._SET.match(config["command_topic"].removeprefix(f"{BASE}/"))
    assert len(unique) == len(doing)


def test_what_is_not_wanted_is_taken_away() -> None:
    assert set(topics.discovery(BASE, "homeassistant", LIVE, control=True, wanted=False).values()) == {""}
