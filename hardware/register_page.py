"""The tables of docs/hardware.md, made from the register map: ``python -m hardware.register_page`` renews them."""

from __future__ import annotations

from pathlib import Path

from hardware.registers import HOLDING, INPUT, Kind, Register

PAGE = Path(__file__).resolve().parent.parent / "docs" / "hardware.md"
TABLES = {"input": INPUT, "holding": HOLDING}


def table(rows: tuple[Register, ...]) -> str:
    """A Markdown table of the registers."""
    lines = ["| address | name | type | unit | meaning |", "|---:|---|---|---|---|"]
    for register in rows:
        last = register.address + register.words - 1
        address = str(register.address) if register.words == 1 else f"{register.address}–{last}"
        kind = f"bytes[{2 * register.words}]" if register.kind is Kind.BYTES else str(register.kind)
        lines.append(f"| {address} | `{register.name}` | {kind} | {register.unit} | {_meaning(register)} |")
    return "\n".join(lines)


def renewed(page: str) -> str:
    """``page`` with the tables between its marks as the map has them; raises ValueError where a mark is missing."""
    for name, rows in TABLES.items():
        begin, end = (
            f"<!-- {name} registers: made by hardware/register_page.py -->",
            f"<!-- end of {name} registers -->",
        )
        before, opened, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not (opened and closed):
            raise ValueError(f"the marks of the {name} registers are missing")
        page = f"{before}{begin}\n\n{table(rows)}\n\n{end}{after}"
    return page


def _meaning(register: Register) -> str:
    text = register.description
    if register.codes:
        sign = "bit " if register.kind is Kind.BITS else ""
        text += " " + ", ".join(f"{sign}{code} {name}" for code, name in register.codes.items()) + "."
    if register.since > 1:
        text += f" From version {register.since} on."
    return f"{text} †" if register.absent else text


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
