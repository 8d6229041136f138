"""The RPC layer: part 4, and all that a hostile or careless CSMS may send instead."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.domain.effects import Answer, AnswerError, Call
from station.domain.events import CallAnswered, CallFailed, CallReceived
from station.ocpp.rpc import ERROR_CODES, MAX_UNANSWERED, InvalidMessage, Rpc

HEARTBEAT = Call("h-1", "Heartbeat", {}, timeout=30.0)
BEAT_ANSWER = {"currentTime": "2024-05-01T10:00:00Z"}
RESET = {"type": "Immediate"}


def connected(**options) -> Rpc:
    rpc = Rpc(**{"strict": True, **options})
    rpc.link_up()
    return rpc


def text(*message: object) -> str:
    return json.dumps(list(message))


def sent(rpc: Rpc) -> list[list]:
    return [json.loads(frame) for frame in rpc.take_frames()]


def refusal(rpc: Rpc, frame: str | bytes) -> tuple[str, str]:
    """Id and code of the one CALLERROR that ``frame`` is answered with."""
    assert rpc.receive(frame, 0.0) == []
    ((kind, call_id, code, description, details),) = sent(rpc)
    assert kind == 4
    assert isinstance(description, str)
    assert len(description) <= 255
    assert details == {}
    return call_id, code


# ---------------------------------------------------------------------- the CSMS calls


def test_call_is_heard_and_answered():
    rpc = connected()
    assert rpc.receive(text(2, "a", "Reset", RESET), 0.0) == [CallReceived("a", "Reset", RESET)]
    rpc.answer(Answer("a", "Reset", {"status": "Accepted"}))
    assert rpc.take_frames() == ['[3,"a",{"status":"Accepted"}]']
    assert rpc.counters.calls_in == 1


def test_bytes_are_as_good_as_text():
    assert connected().receive(text(2, "a", "Reset", RESET).encode(), 0.0) == [CallReceived("a", "Reset", RESET)]


def test_null_stands_for_no_payload():
    assert connected().receive(text(2, "a", "ClearCache", None), 0.0) == [CallReceived("a", "ClearCache", {})]


def test_handler_refuses():
    rpc = connected()
    rpc.receive(text(2, "a", "Reset", RESET), 0.0)
    rpc.answer_error(AnswerError("a", "NotSupported", "not " * 100, {"why": 1}))
    ((kind, call_id, code, description, details),) = sent(rpc)
    assert (kind, call_id, code, details) == (4, "a", "NotSupported", {"why": 1})
    assert len(description) == 255


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        (b"\xff\xfe", ("-1", "RpcFrameworkError")),
        ("", ("-1", "RpcFrameworkError")),
        ("hello", ("-1", "RpcFrameworkError")),
        ('{"a":1}', ("-1", "RpcFrameworkError")),
        ("[]", ("-1", "RpcFrameworkError")),
        ("[2]", ("-1", "RpcFrameworkError")),
        ('["2","a","Reset",{}]', ("a", "RpcFrameworkError")),
        ('[true,"a","Reset",{}]', ("a", "RpcFrameworkError")),
        ('[2,"a","Reset"]', ("a", "RpcFrameworkError")),
        ('[2,"a","Reset",{},1]', ("a", "RpcFrameworkError")),
        ('[2,"a",5,{}]', ("a", "RpcFrameworkError")),
        ('[2,"","Reset",{}]', ("-1", "RpcFrameworkError")),
        ('[2,7,"Reset",{}]', ("-1", "RpcFrameworkError")),
        (text(2, "x" * 37, "Reset", RESET), ("-1", "RpcFrameworkError")),
        ('[2,"a","Reset",{"type":"Imm', ("a", "RpcFrameworkError")),
        ('[2,"a","Reset",{"type":NaN}]', ("a", "RpcFrameworkError")),
        ('[2,"a","Reset",{"type":1e999}]', ("a", "RpcFrameworkError")),
        ('[2,"a","Reset",{"type":' + "9" * 5000 + "}]", ("a", "RpcFrameworkError")),
        ('[2,"a","Reset",{"type":"\\ud800"}]', ("a", "RpcFrameworkError")),
        ('[2,"a","Reset",{"type":"\\u0000"}]', ("a", "RpcFrameworkError")),
        ('[2,"\\ud800","Reset",{}]', ("-1", "RpcFrameworkError")),
        ('[2,"a","Reset",' + "[" * 100_000 + "]" * 100_000 + "]", ("a", "RpcFrameworkError")),
        ('[2,"a","Reset",' + '{"a":' * 500 + "1" + "}" * 500 + "]", ("a", "RpcFrameworkError")),
        ("[" * 500_000, ("-1", "RpcFrameworkError")),
        ('[5,"a",{}]', ("a", "MessageTypeNotSupported")),
        ("[5]", ("-1", "MessageTypeNotSupported")),
        ('[2,"a","Fly",{}]', ("a", "NotImplemented")),
        ('[2,"a","reset",{"type":"Immediate"}]', ("a", "NotImplemented")),
        ('[2,"a","BootNotification",{}]', ("a", "NotSupported")),
        ('[2,"a","Reset",[]]', ("a", "FormatViolation")),
        ('[2,"a","Reset","x"]', ("a", "FormatViolation")),
        ('[2,"a","Reset",{}]', ("a", "OccurrenceConstraintViolation")),
        ('[2,"a","Reset",{"type":1}]', ("a", "TypeConstraintViolation")),
        ('[2,"a","Reset",{"type":"Soft"}]', ("a", "PropertyConstraintViolation")),
        ('[2,"a","Reset",{"type":"Immediate","x":1}]', ("a", "FormatViolation")),
    ],
)
def test_what_is_no_valid_call_gets_its_error(frame, answer):
    rpc = connected()
    assert refusal(rpc, frame) == answer
    assert answer[1] in ERROR_CODES
    # and the connection is as good as before
    assert rpc.receive(text(2, "next", "Reset", RESET), 0.0)


def test_too_large_is_refused_by_bytes_and_counted():
    rpc = connected(max_frame=200)
    assert refusal(rpc, "x" * 201) == ("-1", "RpcFrameworkError")
    assert refusal(rpc, text(2, "a", "DataTransfer", {"vendorId": "x", "data": "y" * 200})) == (
        "a",
        "RpcFrameworkError",
    )
    assert refusal(rpc, '["' + "ä" * 100 + '"]') == ("-1", "RpcFrameworkError")
    assert rpc.counters.too_large == 3


def test_harmless_oddities_pass():
    rpc = connected()
    frame = (
        '[2,"ä","DataTransfer",{"vendorId":"x","vendorId":"y","data":{"n":9007199254740993,"smile":"\\ud83d\\ude00"}}]'
    )
    (heard,) = rpc.receive(frame, 0.0)
    assert heard == CallReceived("ä", "DataTransfer", {"vendorId": "y", "data": {"n": 9007199254740993, "smile": "😀"}})
    rpc.answer(Answer("ä", "DataTransfer", {"status": "Accepted", "data": "😀"}))
    assert rpc.take_frames() == ['[3,"ä",{"status":"Accepted","data":"😀"}]']


def test_duplicate_is_refused_while_the_first_is_open():
    rpc = connected()
    rpc.receive(text(2, "a", "Reset", RESET), 0.0)
    assert refusal(rpc, text(2, "a", "ClearCache", {})) == ("a", "RpcFrameworkError")
    rpc.answer(Answer("a", "Reset", {"status": "Rejected"}))
    assert sent(rpc) == [[3, "a", {"status": "Rejected"}]]
    assert rpc.receive(text(2, "a", "ClearCache", {}), 0.0)


def test_flood_of_calls_is_bounded():
    rpc = connected()
    for number in range(MAX_UNANSWERED):
        assert rpc.receive(text(2, f"c{number}", "ClearCache", {}), 0.0)
    assert refusal(rpc, text(2, "more", "ClearCache", {})) == ("more", "GenericError")
    assert rpc.counters.floods == 1


def test_answer_to_an_earlier_connection_is_dropped():
    rpc = connected()
    rpc.receive(text(2, "a", "Reset", RESET), 0.0)
    assert rpc.link_down() == []
    rpc.link_up()
    rpc.answer(Answer("a", "Reset", {"status": "Accepted"}))
    rpc.answer_error(AnswerError("a", "InternalError"))
    assert rpc.take_frames() == []
    assert rpc.counters.stale_answers == 2


# ---------------------------------------------------------------------- the station calls


def test_call_and_answer():
    rpc = connected()
    assert rpc.call(HEARTBEAT, 10.0) == []
    assert rpc.take_frames() == ['[2,"h-1","Heartbeat",{}]']
    assert rpc.deadline() == 40.0
    assert rpc.receive(text(3, "h-1", BEAT_ANSWER), 11.0) == [CallAnswered("h-1", BEAT_ANSWER)]
    assert rpc.deadline() is None
    assert rpc.take_frames() == []


def test_one_call_in_flight_the_next_waits():
    rpc = connected()
    rpc.call(HEARTBEAT, 0.0)
    rpc.call(Call("h-2", "Heartbeat", {}, 10.0), 1.0)
    assert sent(rpc) == [[2, "h-1", "Heartbeat", {}]]
    assert rpc.receive(text(3, "h-2", BEAT_ANSWER), 2.0) == []  # it was not even sent
    assert rpc.receive(text(3, "h-1", BEAT_ANSWER), 5.0) == [CallAnswered("h-1", BEAT_ANSWER)]
    assert sent(rpc) == [[2, "h-2", "Heartbeat", {}]]
    assert rpc.deadline() == 15.0  # its time runs from when it was sent


@pytest.mark.parametrize("end", ['[4,"h-1","InternalError","",{}]', '[3,"h-1",[]]', '[3,"h-1",{"', None])
def test_next_call_goes_out_however_the_first_ended(end):
    rpc = connected()
    rpc.call(HEARTBEAT, 0.0)
    rpc.call(Call("h-2", "Heartbeat", {}, 10.0), 1.0)
    rpc.take_frames()
    (failed,) = rpc.receive(end, 2.0) if end else rpc.tick(30.0)
    assert failed.call_id == "h-1"
    assert sent(rpc) == [[2, "h-2", "Heartbeat", {}]]


def test_call_crosses_a_call_of_the_csms():
    rpc = connected()
    rpc.call(HEARTBEAT, 0.0)
    assert rpc.receive(text(2, "h-1", "Reset", RESET), 0.0) == [CallReceived("h-1", "Reset", RESET)]
    rpc.answer(Answer("h-1", "Reset", {"status": "Accepted"}))
    assert rpc.receive(text(3, "h-1", BEAT_ANSWER), 0.0) == [CallAnswered("h-1", BEAT_ANSWER)]


def timed_out() -> Rpc:
    rpc = connected()
    rpc.call(HEARTBEAT, 0.0)
    assert rpc.tick(29.9) == []
    (failed,) = rpc.tick(30.0)
    assert (failed.call_id, failed.code) == ("h-1", "Timeout")
    assert rpc.deadline() is None
    rpc.take_frames()
    return rpc


def test_late_result_is_still_told_once():
    rpc = timed_out()
    assert rpc.receive(text(3, "h-1", BEAT_ANSWER), 31.0) == [CallAnswered("h-1", BEAT_ANSWER)]
    assert rpc.receive(text(3, "h-1", BEAT_ANSWER), 31.0) == []
    assert rpc.counters.late_answers == 2


@pytest.mark.parametrize("frame", ['[4,"h-1","InternalError","",{}]', '[3,"h-1",{}]', '[3,"h-1"]', '[3,"h-1",{'])
def test_other_late_answers_are_dropped(frame):
    rpc = timed_out()
    rpc.call(Call("h-2", "Heartbeat", {}, 30.0), 31.0)
    rpc.take_frames()
    assert rpc.receive(frame, 32.0) == []
    assert rpc.take_frames() == []
    assert rpc.counters.late_answers == 1
    assert rpc.receive(text(3, "h-2", BEAT_ANSWER), 33.0) == [CallAnswered("h-2", BEAT_ANSWER)]


def test_late_result_of_an_earlier_connection_is_dropped():
    rpc = timed_out()
    rpc.link_down()
    rpc.link_up()
    assert rpc.receive(text(3, "h-1", BEAT_ANSWER), 40.0) == []


def test_link_down_fails_the_call_in_flight_once():
    rpc = connected()
    rpc.call(HEARTBEAT, 0.0)
    rpc.call(Call("h-2", "Heartbeat", {}, 30.0), 0.0)
    assert [(failed.call_id, failed.code) for failed in rpc.link_down()] == [("h-1", "LinkDown"), ("h-2", "LinkDown")]
    assert rpc.link_down() == []
    assert rpc.take_frames() == []
    (refused,) = rpc.call(Call("h-2", "Heartbeat", {}, 30.0), 1.0)
    assert (refused.call_id, refused.code) == ("h-2", "LinkDown")


@pytest.mark.parametrize(
    "frame",
    [
        '[3,"h-1"]',
        '[3,"h-1",[]]',
        '[3,"h-1",{},{}]',
        '[3,"h-1",{}]',
        '[3,"h-1",null]',
        '[3,"h-1",{"currentTime":"late"}]',
        '[3,"h-1",{"currentTime":',
        '[3,"h-1",{"currentTime":"2024-05-01T10:00:00Z","x":NaN}]',
    ],
)
def test_unusable_answer_fails_the_call_and_is_not_answered(frame):
    rpc = connected()
    rpc.call(HEARTBEAT, 0.0)
    rpc.take_frames()
    (failed,) = rpc.receive(frame, 1.0)
    assert (failed.call_id, failed.code) == ("h-1", "InvalidAnswer")
    assert rpc.take_frames() == []
    assert rpc.counters.invalid_answers == 1


@pytest.mark.parametrize(
    ("rest", "failed"),
    [
        (["GenericError", "no", {"a": 1}], CallFailed("h-1", "GenericError", "no", {"a": 1})),
        (["CallAlreadyInProgress", "x" * 300, {}], CallFailed("h-1", "CallAlreadyInProgress", "x" * 255, {})),
        (["InternalError"], CallFailed("h-1", "InternalError", "", {})),
        ([], CallFailed("h-1", "GenericError", "", {})),
        ([17, None, []], CallFailed("h-1", "GenericError", "", {})),
        (["InternalError", "", None, 1, 2], CallFailed("h-1", "InternalError", "", {})),
    ],
)
def test_error_answers_however_written(rest, failed):
    rpc = connected()
    rpc.call(HEARTBEAT, 0.0)
    rpc.take_frames()
    assert rpc.receive(text(4, "h-1", *rest), 1.0) == [failed]
    assert rpc.take_frames() == []


@pytest.mark.parametrize(
    "frame", ['[3,"?",{}]', '[4,"-1","RpcFrameworkError","",{}]', "[3]", "[4]", "[3,[],{}]", "[4,{}]"]
)
def test_answers_to_nothing_are_never_answered(frame):
    rpc = connected()
    assert rpc.receive(frame, 0.0) == []
    assert rpc.take_frames() == []
    assert rpc.counters.late_answers == 1


# ---------------------------------------------------------------------- our own mistakes


WRONG_CALLS = [
    Call("x", "Heartbeat", {"nothing": 1}, 30.0),
    Call("x", "Reset", RESET, 30.0),
    Call("x" * 37, "Heartbeat", {}, 30.0),
    Call("", "Heartbeat", {}, 30.0),
    Call("x", "Heartbeat", {"customData": {"vendorId": "v", "n": float("nan")}}, 30.0),
    Call("x", "Heartbeat", {"customData": {"vendorId": "v", "n": "\ud800"}}, 30.0),
    Call("x", "Heartbeat", {"customData": {"vendorId": "v", "n": {"n": float("inf")}}}, 30.0),
]


@pytest.mark.parametrize("call", WRONG_CALLS)
def test_own_invalid_call(call):
    with pytest.raises(InvalidMessage):
        connected().call(call, 0.0)
    rpc = connected(strict=False)
    (failed,) = rpc.call(call, 0.0)
    assert (failed.call_id, failed.code) == (call.call_id, "InvalidRequest")
    assert failed.description
    assert rpc.take_frames() == []
    assert rpc.counters.own_invalid == 1
    assert rpc.call(HEARTBEAT, 0.0) == []


@pytest.mark.parametrize(
    "answer", [Answer("a", "Reset", {"status": "Perhaps"}), AnswerError("a", "Catastrophe", "text", {})]
)
def test_own_invalid_answer_becomes_an_internal_error(answer):
    def reply(rpc: Rpc) -> None:
        rpc.receive(text(2, "a", "Reset", RESET), 0.0)
        rpc.answer(answer) if isinstance(answer, Answer) else rpc.answer_error(answer)

    with pytest.raises(InvalidMessage):
        reply(connected())
    rpc = connected(strict=False)
    reply(rpc)
    ((kind, call_id, code, _, _),) = sent(rpc)
    assert (kind, call_id, code) == (4, "a", "InternalError")


def test_decimals_and_tuples_are_written_as_json():
    rpc = connected()
    reading = {"timestamp": "2024-05-01T10:00:00Z", "sampledValue": ({"value": Decimal("1.5")},)}
    rpc.call(Call("m", "MeterValues", {"evseId": 1, "meterValue": (reading,)}, 30.0), 0.0)
    assert sent(rpc)[0][3]["meterValue"][0]["sampledValue"] == [{"value": 1.5}]


# ---------------------------------------------------------------------- anything at all

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ALMOST_OCPP = st.tuples(
    st.sampled_from([2, 2, 3, 4, 5, -1, "2", None]),
    st.sampled_from(["h-1", "a", "", "x" * 40, 7, None]) | JSON,
    st.sampled_from(["Reset", "GetVariables", "Heartbeat", "Fly", "InternalError", 5]) | JSON,
    JSON | st.just(RESET),
).flatmap(lambda parts: st.integers(0, 4).map(lambda length: list(parts[:length])))


@given(frame=st.binary(max_size=200) | st.text(st.characters(), max_size=200) | (JSON | ALMOST_OCPP).map(json.dumps))
def test_no_frame_raises_and_each_gets_one_answer_at_most(frame):
    rpc = connected()
    rpc.call(HEARTBEAT, 0.0)
    rpc.take_frames()
    heard = rpc.receive(frame, 0.0)
    answers = rpc.take_frames()
    assert len(heard) + len(answers) <= 1
    for answer in answers:
        kind, call_id, code, description, details = json.loads(answer)
        assert kind == 4
        assert 0 < len(call_id) <= 36
        assert code in ERROR_CODES
        assert len(description) <= 255
        assert details == {}
        answer.encode()
    # the connection goes on
    assert rpc.receive(text(2, "after", "Reset", RESET), 0.0) == [CallReceived("after", "Reset", RESET)]
