"""Frames that no CSMS should send: each gets the CALLERROR of part 4, and the connection stays."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.support.appliance import Appliance
from tests.support.csms import ScriptedCsms

ID = "e7d1c3a2-0000-4000-8000-000000000001"


def _call(action: Any, payload: Any) -> list[Any]:
    return [2, ID, action, payload]


@pytest.mark.parametrize(
    ("frame", "message_id", "codes"),
    [
        ("this is no JSON", "-1", {"RpcFrameworkError"}),
        ("[" * 100_000, "-1", {"RpcFrameworkError"}),
        ('{"a":1}', "-1", {"RpcFrameworkError"}),
        ("[]", "-1", {"RpcFrameworkError"}),
        ("null", "-1", {"RpcFrameworkError"}),
        ('[2,{"a":1},"Reset",{}]', "-1", {"RpcFrameworkError"}),
        ([2, "x" * 500, "Reset", {}], "-1", {"RpcFrameworkError"}),
        ([2, ID, "Reset"], ID, {"RpcFrameworkError", "ProtocolError", "FormatViolation"}),
        (_call(17, {}), ID, {"RpcFrameworkError", "ProtocolError", "FormatViolation"}),
        (_call("Reset", "Immediate"), ID, {"FormatViolation", "TypeConstraintViolation", "ProtocolError"}),
        (_call("Reset", {}), ID, {"OccurrenceConstraintViolation"}),
        (_call("Reset", {"type": 5}), ID, {"TypeConstraintViolation"}),
        (_call("Reset", {"type": "Softly"}), ID, {"PropertyConstraintViolation"}),
        (_call("Reset", {"type": "Immediate", "now": True}), ID, {"FormatViolation", "PropertyConstraintViolation"}),
        (_call("MakeCoffee", {}), ID, {"NotImplemented"}),
        (_call("\x1b[2J\n" + "x" * 1000, {}), ID, {"NotImplemented"}),
        (_call("BootNotification", {}), ID, {"NotSupported"}),
        (_call("SetDisplayMessage", None), ID, {"OccurrenceConstraintViolation", "FormatViolation", "NotSupported"}),
        ([77, ID, {}], ID, {"MessageTypeNotSupported"}),
        (json.dumps(_call("Reset", {"type": "Immediate"}))[:-1], ID, {"RpcFrameworkError"}),
        (b"\xff\xfe\x00", "-1", {"RpcFrameworkError"}),
        (json.dumps(_call("DataTransfer", {"vendorId": "x" * 1_500_000})), ID, {"RpcFrameworkError"}),
        ("x" * 1_500_000, "-1", {"RpcFrameworkError"}),
        (_call("GetVariables", {"getVariableData": []}), ID, {"OccurrenceConstraintViolation"}),
    ],
)
def test_the_right_error_and_the_same_connection(
    appliance: Appliance, csms: ScriptedCsms, frame: Any, message_id: str, codes: set[str]
) -> None:
    connections, mark = csms.connections, csms.mark()
    csms.send(frame)
    error = csms.wait_for_frame(
        lambda answer: answer.direction == "in" and isinstance(answer.frame, list) and answer.frame[0] == 4,
        "a CALLERROR",
        since=mark,
    ).frame
    if message_id == ID:  # of a frame that cannot be read whole the id may be unreadable, too
        assert error[1] in (ID, "-1") if codes == {"RpcFrameworkError"} else error[1] == ID
    else:
        assert error[1] == "-1"
    assert error[2] in codes
    assert isinstance(error[3], str)
    assert len(error[3]) <= 255
    assert isinstance(error[4], dict)
    _still_there(csms)
    assert csms.connections == connections


@pytest.mark.parametrize(
    "frame",
    [
        [3, "nobody-asked", {}],
        [4, "nobody-asked", "GenericError", "", {}],
        [4, "-1", "RpcFrameworkError", "what?", {}],
        [3, "nobody-asked"],
        '[3,"nobody-asked",',
        '[4,"-1",',
    ],
)
def test_answers_are_never_answered(appliance: Appliance, csms: ScriptedCsms, frame: Any) -> None:
    connections, mark = csms.connections, csms.mark()
    csms.send(frame)
    _still_there(csms)
    incoming = [seen.frame for seen in csms.frames(mark) if seen.direction == "in"]
    errors = [frame for frame in incoming if isinstance(frame, list) and frame[0] == 4]
    assert errors == []
    assert csms.connections == connections


@pytest.mark.parametrize(
    "answer",
    [
        lambda message_id: [3, message_id, {"currentTime": "yesterday"}],
        lambda message_id: [3, message_id, {}],
        lambda message_id: [3, message_id, []],
        lambda message_id: [4, message_id, "NeverHeardOf", "x" * 3000, {"a": [1]}],
        lambda message_id: [4, message_id],
    ],
)
def test_an_answer_that_is_none_does_not_hold_up_the_next_call(
    appliance: Appliance, csms: ScriptedCsms, answer: Any
) -> None:
    from tests.support.csms import SILENCE

    connections, mark = csms.connections, csms.mark()
    csms.on("Heartbeat", SILENCE)
    assert csms.call("TriggerMessage", {"requestedMessage": "Heartbeat"})["status"] == "Accepted"
    asked = csms.wait_for_frame(lambda frame: frame.action == "Heartbeat", "a Heartbeat", since=mark)
    csms.default()
    csms.send(answer(asked.frame[1]))
    mark = csms.mark()
    assert csms.call("TriggerMessage", {"requestedMessage": "Heartbeat"})["status"] == "Accepted"
    csms.wait_for("Heartbeat", since=mark, timeout=10)
    assert csms.connections == connections


def test_many_calls_at_once_are_each_answered_once(appliance: Appliance, csms: ScriptedCsms) -> None:
    """Part 4, 4.1.1 forbids it to the CSMS; a station that gets it anyway must not lose its footing."""
    mark = csms.mark()
    ids = [str(uuid.uuid4()) for _ in range(40)]
    for message_id in ids:
        csms.send([2, message_id, "GetTransactionStatus", {}])
    _still_there(csms)
    answered = [
        frame.frame[1]
        for frame in csms.frames(mark)
        if frame.direction == "in" and isinstance(frame.frame, list) and frame.frame[0] in (3, 4)
    ]
    assert sorted(set(ids)) == sorted(message_id for message_id in answered if message_id in set(ids))


def _still_there(csms: ScriptedCsms) -> None:
    variable = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
    [result] = csms.call("GetVariables", {"getVariableData": [variable]}, timeout=10)["getVariableResult"]
    assert result["attributeStatus"] == "Accepted"
