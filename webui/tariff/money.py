"""Money: whole minor units of a currency, and nothing else; no float ever touches an amount."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

# ISO 4217, the currencies in use (list one, without metals, funds and test codes).
_IN_USE = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD
CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ
GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR
LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN
PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB
TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES: tuple[str, ...] = tuple(_IN_USE.split())
# The exponent of the minor unit where it is not two.
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"


def places(currency: str) -> int:
    """How many decimals an amount of ``currency`` has (ISO 4217's exponent)."""
    return 0 if currency in _NONE else 3 if currency in _THREE else 2


@dataclass(frozen=True, slots=True)
class Money:
    """An amount: ``minor`` whole cents, pence, yen, fils … of ``currency`` (ISO 4217)."""

    minor: int
    currency: str

    @property
    def amount(self) -> Decimal:
        """In the currency's main unit."""
        return Decimal(self.minor).scaleb(-places(self.currency))

    def __add__(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be added")
        return Money(self.minor + other.minor, self.currency)


def rounded(amount: Decimal, currency: str) -> Money:
    """``amount`` of the main unit as whole minor units, half away from zero (commercial rounding)."""
    return Money(int(amount.scaleb(places(currency)).quantize(Decimal(1), ROUND_HALF_UP)), currency)


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum; raises ValueError where one of them is in another currency."""
    found = Money(0, currency)
    for amount in amounts:
        found += amount
    return found
