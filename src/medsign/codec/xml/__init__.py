"""The door for XML: bounded reading, writing, canonical form, schemas and the class binder.

This package is the only importer of lxml. `parse` lets bytes in, `bind`, `read` and `write` carry
frozen attrs classes over, `canonical` gives the bytes that an XML signature covers, and `Schema`
runs an official XSD that the user has.
"""

from __future__ import annotations

from medsign.codec.xml.binding import (
    Attribute,
    Branch,
    Element,
    FieldRow,
    Located,
    Violation,
    bind,
    build,
    describe,
    locate,
    read,
    walk,
)
from medsign.codec.xml.door import Node, Schema, canonical, parse, serialize
from medsign.codec.xml.lexical import (
    AnyDate,
    Flag,
    Integer,
    Lexical,
    LexicalError,
    Number,
    OneOf,
    Text,
)

__all__ = [
    "AnyDate",
    "Attribute",
    "Branch",
    "Element",
    "FieldRow",
    "Flag",
    "Integer",
    "Lexical",
    "LexicalError",
    "Located",
    "Node",
    "Number",
    "OneOf",
    "Schema",
    "Text",
    "Violation",
    "bind",
    "build",
    "canonical",
    "describe",
    "locate",
    "parse",
    "read",
    "serialize",
    "walk",
]
