"""Routes of signing: who signs after whom, as an organisation sets it (F174)."""

from __future__ import annotations

from collections.abc import Mapping

from medsign.errors import UsageError
from medsign.status.model import State, StatusModel


def signing_route(name: str, roles: Mapping[str, str]) -> StatusModel:
    """Return the process of a document that several people sign in turn.

    Each role has an event ``sign_<role>``, allowed only when it is its turn; until the last
    signature anyone may ``refuse``. Fire only the events of the roles that the user has.

    Args:
        name: Name of the process.
        roles: Who signs, in order: code of the role, an identifier, with its Russian name.

    Raises:
        UsageError: There is no role, or a code is not an identifier.

    Example:
        >>> route = signing_route("discharge", {"doctor": "Лечащий врач", "head": "Заведующий"})
        >>> route.apply(route.initial, "sign_doctor")
        'awaits_head'
        >>> route.state("awaits_head").label
        'Ожидает подписи: Заведующий'
    """
    if not roles:
        raise UsageError("a route of signing needs a role")
    waiting = [f"awaits_{role}" for role in roles]
    following = [*waiting[1:], "signed"]
    return StatusModel(
        name=name,
        states=[
            *(
                State(code, f"Ожидает подписи: {label}")
                for code, label in zip(waiting, roles.values(), strict=True)
            ),
            State("signed", "Подписан", terminal=True, success=True),
            State("refused", "В подписи отказано", terminal=True),
        ],
        initial=waiting[0],
        transitions={
            here: {f"sign_{role}": there, "refuse": "refused"}
            for role, here, there in zip(roles, waiting, following, strict=True)
        },
        events={
            **{f"sign_{role}": f"подписывает {label}" for role, label in roles.items()},
            "refuse": "отказать в подписи",
        },
    )
