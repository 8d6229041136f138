"""Asking the station for a report, and what every part of one must be (part 6, TC_B_12 to TC_B_14, TC_B_53)."""

from __future__ import annotations

from station.domain.moment import parse_rfc3339
from tests.conformance.rig import Payload, Rig

LISTS = ("OptionList", "SequenceList", "MemberList")
Name = tuple[str, str, str]  # component, variable, variable instance


def base_report(rig: Rig, base: str, request_id: int = 7) -> list[Payload]:
    """GetBaseReport: accepted, and all parts of the report in order; returns its reportData."""
    response = rig.call("GetBaseReport", {"requestId": request_id, "reportBase": base})
    assert response["status"] == "Accepted", response
    assert response.get("statusInfo", {}).get("reasonCode", "NoError") == "NoError", response
    data: list[Payload] = []
    number, more = 0, True
    while more:
        part = rig.expect("NotifyReport")
        assert part["requestId"] == request_id, part
        assert part["seqNo"] == number, part
        parse_rfc3339(part["generatedAt"])
        data += part.get("reportData", [])
        more = part.get("tbc", False)
        number += 1
    for one in data:
        characteristics = one["variableCharacteristics"]
        if characteristics["dataType"] in LISTS:
            assert characteristics.get("valuesList"), f"no valuesList: {one}"
    return data


def name_of(one: Payload) -> Name:
    """What a reportData entry is about, leaving out where it is."""
    return one["component"]["name"], one["variable"]["name"], one["variable"].get("instance", "")


def places_of(data: list[Payload], component: str, variable: str) -> list[tuple[int, int]]:
    """EVSE and connector ids (0: none) at which that variable is reported."""
    found = []
    for one in data:
        if name_of(one)[:2] == (component, variable):
            evse = one["component"].get("evse", {})
            found.append((evse.get("id", 0), evse.get("connectorId", 0)))
    return sorted(found)
