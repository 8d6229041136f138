"""How much a station holds: the elements of all its lists, tables and sets."""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import Any

from station.device_model.model import DeviceModel

PLAIN = (str, bytes, int, float, bool, type(None), Enum)


def size_of(root: Any) -> int:
    """Elements in all containers that can be reached from ``root``, the device model left out (it never grows)."""
    seen: set[int] = set()
    stack, total = [root], 0
    while stack:
        one = stack.pop()
        if id(one) in seen or isinstance(one, (*PLAIN, DeviceModel, type)) or callable(one):
            continue
        seen.add(id(one))
        if isinstance(one, dict):
            total += len(one)
            stack += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple | set | frozenset | deque):
            total += len(one)
            stack += list(one)
        else:
            stack += list(getattr(one, "__dict__", {}).values())
            for kind in type(one).__mro__:
                stack += [getattr(one, name) for name in getattr(kind, "__slots__", ()) if hasattr(one, name)]
    return total
