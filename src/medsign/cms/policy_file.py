"""Policies out of files: JSON that administrators write and keep under version control."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import attrs

from medsign.cms.policy import AllOf, AnyOf, Crl, Level, Ocsp, Policy, Requirement
from medsign.codec import json
from medsign.errors import MalformedError

T = TypeVar("T", bound=attrs.AttrsInstance)

_WHAT = "policy"
_MAX_BYTES = 1 << 20
_MAX_DEPTH = 8


@attrs.frozen(kw_only=True)
class _Written:
    """The members of the file; what is left out is as in `Policy`."""

    name: str
    levels: Mapping[str, Level] | None = None
    revocation: dict[str, Any] | None = None
    algorithms: Mapping[str, datetime | None] | None = None
    clock_skew: float | None = None
    stamp_at_its_own_time: bool | None = None


@attrs.frozen(kw_only=True)
class _Rule:
    ocsp: dict[str, Any] | None = None
    crl: dict[str, Any] | None = None
    any_of: tuple[dict[str, Any], ...] | None = None
    all_of: tuple[dict[str, Any], ...] | None = None


@attrs.frozen
class _Age:
    max_age: float | None = None


def read_policy(data: bytes) -> Policy:
    """Read a policy from JSON; members that it does not know are refused, not passed over.

    Members are those of `Policy` in camelCase, all but ``name`` optional. Durations are seconds,
    moments RFC 3339. ``revocation`` is an object with one member: ``ocsp`` or ``crl`` with an
    optional ``maxAge``, or ``anyOf`` or ``allOf`` with a list of such objects.

    Raises:
        MalformedError: Not such JSON.
        BudgetExceeded: It is too large.
        UsageError: `Policy` refuses it.

    Example:
        >>> policy = read_policy(b'{"name": "ward", "revocation": {"crl": {"maxAge": 86400}}}')
        >>> policy.revocation
        Crl(max_age=datetime.timedelta(days=1))
    """
    plain = json.decode(dict[str, Any], data, what=_WHAT, max_bytes=_MAX_BYTES)
    written = _structure(_Written, plain, "$")
    given: dict[str, Any] = {
        each.name: value
        for each in attrs.fields(_Written)
        if (value := getattr(written, each.name)) is not None
    }
    if written.clock_skew is not None:
        given["clock_skew"] = _duration(written.clock_skew, "$.clockSkew")
    if written.revocation is not None:
        given["revocation"] = _requirement(written.revocation, "$.revocation")
    return Policy(**given)


def _requirement(plain: dict[str, Any], where: str, depth: int = 0) -> Requirement:
    rule = _structure(_Rule, plain, where)
    if len(plain) != 1 or None in plain.values() or depth > _MAX_DEPTH:
        raise MalformedError(_WHAT, where, "one member is needed, and nesting has a bound")
    if rule.ocsp is not None:
        return Ocsp(_age(rule.ocsp, f"{where}.ocsp"))
    if rule.crl is not None:
        return Crl(_age(rule.crl, f"{where}.crl"))
    listed, kind = (rule.any_of, AnyOf) if rule.any_of is not None else (rule.all_of, AllOf)
    return kind(tuple(_requirement(each, where, depth + 1) for each in listed or ()))


def _age(plain: dict[str, Any], where: str) -> timedelta | None:
    age = _structure(_Age, plain, where).max_age
    return None if age is None else _duration(age, where)


def _duration(seconds: float, where: str) -> timedelta:
    try:
        return timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        raise MalformedError(_WHAT, where, "not a duration, or one of millions of years") from None


def _structure(kind: type[T], plain: dict[str, Any], where: str) -> T:
    known = {json.wire_name(each) for each in attrs.fields(kind)}
    if plain.keys() - known:
        raise MalformedError(_WHAT, where, f"only {', '.join(sorted(known))} may stand here")
    return json.structure(kind, plain, what=_WHAT)
