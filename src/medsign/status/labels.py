"""Codes with the words of the sources beside them."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Labelled(StrEnum):
    """A code with its name for people, in Russian, exactly as the source writes it.

    Example:
        >>> class Sky(Labelled):
        ...     CLEAR = "clear", "ясно"
        >>> Sky("clear").label
        'ясно'
    """

    _value_: str
    label: str

    def __new__(cls, code: str, label: str = "") -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.label = label
        return member
