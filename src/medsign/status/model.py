"""A status model is a table: everything else about a process is derived from it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar

import attrs

from medsign.errors import IllegalTransition, UsageError
from medsign.status.terms import Term

_CYRILLIC_TWINS = str.maketrans("авекмнорстухё", "abekmhopctyxe")


def fold(text: str) -> str:
    """Return a key that is equal for texts a person reads as equal.

    Letter case, runs of spaces, ё and Cyrillic letters that look Latin make no difference: the
    sources themselves write both MAX and МАХ.

    Example:
        >>> fold(" МАХ ") == fold("max")
        True
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return unicodedata.normalize("NFKC", plain.translate(_CYRILLIC_TWINS))


@attrs.frozen
class State:
    """One state of a process.

    Args:
        code: Name for programs and databases, a Python identifier.
        label: Name for people, in Russian, exactly as the source writes it.
        terminal: The process is over; no event leads out of the state.
        success: The process has reached what it was started for.
        deadline: How long the state may last, or ``None`` when no source says.
        aliases: Further texts by which remote systems call the state.
    """

    code: str = attrs.field(converter=str)
    label: str
    terminal: bool = attrs.field(default=False, kw_only=True)
    success: bool = attrs.field(default=False, kw_only=True)
    deadline: Term | None = attrs.field(default=None, kw_only=True)
    aliases: tuple[str, ...] = attrs.field(default=(), kw_only=True)


@attrs.frozen
class UnknownStatus:
    """A status text that the model does not have: kept as it came, neither good nor final.

    Attributes:
        raw: What the remote system wrote. It may hold anything, so it stays out of the repr.
    """

    raw: str = attrs.field(repr=False)
    terminal: ClassVar[bool] = False
    success: ClassVar[bool] = False

    @property
    def label(self) -> str:
        """The text for people."""
        return f"Неизвестный статус: «{self.raw}»"


def _by_code(states: Iterable[State]) -> Mapping[str, State]:
    listed = list(states)
    table = {state.code: state for state in listed}
    if len(table) < len(listed):
        raise UsageError("a status model has two states of one code")
    return MappingProxyType(table)


def _frozen_table(rows: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[str, str]]:
    return MappingProxyType(
        {
            str(state): MappingProxyType({str(event): str(to) for event, to in exits.items()})
            for state, exits in rows.items()
        }
    )


def _frozen_names(names: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({str(code): label for code, label in names.items()})


@attrs.frozen(kw_only=True, hash=False)
class StatusModel:
    """States, events and what leads where; immutable and checked when made.

    Args:
        name: Name of the process; it is part of the names of journal streams.
        states: All states; read back as a mapping by code.
        initial: Code of the state in which the process starts.
        transitions: For each state the events it allows and where they lead.
        events: Russian names of events, for buttons and diagrams. When given, it lists all of
            them; when left out, events are known by their codes.

    Raises:
        UsageError: The table contradicts itself: an undefined or unreachable name, a terminal
            state with an exit, two states that a remote text could mean.

    Example:
        >>> model = StatusModel(
        ...     name="letter",
        ...     states=[State("draft", "Черновик"), State("sent", "Отправлено", terminal=True)],
        ...     initial="draft",
        ...     transitions={"draft": {"send": "sent"}},
        ... )
        >>> model.apply("draft", "send")
        'sent'
        >>> model.recognise("ОТПРАВЛЕНО").code
        'sent'
        >>> model.apply("sent", "send")
        Traceback (most recent call last):
            ...
        medsign.errors.IllegalTransition: letter: event 'send' is illegal in state 'sent'; \
allowed: none
    """

    name: str
    states: Mapping[str, State] = attrs.field(converter=_by_code)
    initial: str = attrs.field(converter=str)
    transitions: Mapping[str, Mapping[str, str]] = attrs.field(converter=_frozen_table)
    events: Mapping[str, str] = attrs.field(factory=dict[str, str], converter=_frozen_names)
    _spellings: Mapping[str, str] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        if fault := next(self._faults(), None):
            raise UsageError(f"status model {self.name!r}: {fault}")
        object.__setattr__(self, "_spellings", self._read_spellings())

    def _faults(self) -> Iterator[str]:
        edges = [
            (a, event, b) for a, exits in self.transitions.items() for event, b in exits.items()
        ]
        used = {event for _, event, _ in edges}
        named = {self.initial, *self.transitions, *(to for _, _, to in edges)}
        for code in sorted({*self.states, *used, *self.events}):
            if not code.isidentifier():
                yield f"{code!r} is not an identifier"
        for code in sorted(named - set(self.states)):
            yield f"state {code!r} is not defined"
        for event in sorted(used ^ set(self.events)) if self.events else ():
            yield f"event {event!r} is {'not named' if event in used else 'not used'}"
        for code, exits in self.transitions.items():
            if exits and self.states[code].terminal:
                yield f"state {code!r} is terminal and has an exit"
        for code in self.states:
            if self.path(self.initial, code) is None:
                yield f"state {code!r} is unreachable"

    def _read_spellings(self) -> Mapping[str, str]:
        spellings: dict[str, str] = {}
        for code, state in self.states.items():
            for text in (code, state.label, *state.aliases):
                if spellings.setdefault(fold(text), code) != code:
                    raise UsageError(f"status model {self.name!r}: {text!r} names two states")
        return MappingProxyType(spellings)

    def state(self, code: str) -> State:
        """Return a state by its code.

        Raises:
            UsageError: The model has no such state.
        """
        try:
            return self.states[code]
        except KeyError:
            raise UsageError(f"status model {self.name!r} has no state {code!r}") from None

    def allowed(self, state: str) -> frozenset[str]:
        """Return the events that a state allows."""
        return frozenset(self.transitions.get(self.state(state).code, ()))

    def apply(self, state: str, event: str) -> str:
        """Return the code of the state to which an event leads.

        Raises:
            IllegalTransition: The state does not allow the event.
        """
        allowed = self.allowed(state)
        if event not in allowed:
            offered = ", ".join(f"«{self._named(name)}»" for name in sorted(allowed)) or "нет"
            russian = (
                f"Действие «{self._named(event)}» невозможно: состояние сейчас "
                f"«{self.state(state).label}». Возможные действия: {offered}."
            )
            raise IllegalTransition(self.name, str(state), str(event), allowed, russian)
        return self.transitions[state][event]

    def _named(self, event: str) -> str:
        return self.events.get(event, event)

    def path(self, start: str, goal: str) -> tuple[str, ...] | None:
        """Return the shortest chain of events between two states, or ``None``."""
        paths: dict[str, tuple[str, ...]] = {start: ()}
        queue = deque([start])
        while queue and goal not in paths:
            here = queue.popleft()
            for event, there in self.transitions.get(here, {}).items():
                if there not in paths:
                    paths[there] = (*paths[here], event)
                    queue.append(there)
        return paths.get(goal)

    def recognise(self, text: str) -> State | UnknownStatus:
        """Return the state that a remote text names by code, label or alias.

        A text never seen before is kept: a new status of the remote system is no error of ours.
        """
        code = self._spellings.get(fold(text))
        return UnknownStatus(text) if code is None else self.states[code]

    def extend(
        self,
        *,
        states: Iterable[State] = (),
        transitions: Mapping[str, Mapping[str, str]] | None = None,
        events: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        deadlines: Mapping[str, Term | None] | None = None,
    ) -> StatusModel:
        """Return a model with additions of a vendor; this one does not change (F122).

        Args:
            states: States to add; one of a known code replaces ours.
            transitions: Rows to add; an event that we have in that state is led elsewhere.
            events: Russian names of new events.
            labels: New labels by code of state.
            deadlines: New deadlines by code of state.

        Raises:
            UsageError: The result contradicts itself.
        """
        merged = {**self.states, **_by_code(states)}
        try:
            for code, label in (labels or {}).items():
                merged[code] = attrs.evolve(merged[code], label=label)
            for code, term in (deadlines or {}).items():
                merged[code] = attrs.evolve(merged[code], deadline=term)
        except KeyError as missing:
            raise UsageError(f"status model {self.name!r} has no state {missing}") from None
        rows = {code: dict(exits) for code, exits in self.transitions.items()}
        for code, exits in (transitions or {}).items():
            rows[code] = {**rows.get(code, {}), **exits}
        return StatusModel(
            name=self.name,
            states=merged.values(),
            initial=self.initial,
            transitions=rows,
            events={**self.events, **(events or {})},
        )

    def sql_check(self, column: str) -> str:
        """Return a constraint that lets only the codes of this model into a column.

        Example:
            >>> states = [State("on", "Включено", terminal=True)]
            >>> model = StatusModel(name="lamp", states=states, initial="on", transitions={})
            >>> model.sql_check("status")
            "CHECK (status IN ('on'))"

        Raises:
            UsageError: The column is not a plain SQL name.
        """
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", column):
            raise UsageError("a column name has letters, digits and _ only")
        codes = ", ".join(f"'{code}'" for code in self.states)
        return f"CHECK ({column} IN ({codes}))"

    def to_mermaid(self) -> str:
        """Return the table as a Mermaid state diagram."""
        # Codes may be words of Mermaid's own grammar, so states are numbered.
        number = {code: f"s{i}" for i, code in enumerate(self.states)}
        lines = ["stateDiagram-v2"]
        for code, state in self.states.items():
            label = (state.label or code).replace('"', "#quot;")
            lines.append(f'    state "{label}" as {number[code]}')
        lines.append(f"    [*] --> {number[self.initial]}")
        for code, event, to in self._edges():
            lines.append(f"    {number[code]} --> {number[to]} : {event}")
        lines += [f"    {number[code]} --> [*]" for code, s in self.states.items() if s.terminal]
        return "\n".join(lines) + "\n"

    def to_graphviz(self) -> str:
        """Return the table as a Graphviz digraph; terminal states have a double border."""
        lines = [f"digraph {_quoted(self.name)} {{", "    rankdir=LR"]
        for code, state in self.states.items():
            shape = "doublecircle" if state.terminal else "box"
            lines.append(
                f"    {_quoted(code)} [label={_quoted(state.label or code)} shape={shape}]"
            )
        for code, event, to in self._edges():
            lines.append(f"    {_quoted(code)} -> {_quoted(to)} [label={_quoted(event)}]")
        return "\n".join([*lines, "}"]) + "\n"

    def _edges(self) -> Iterator[tuple[str, str, str]]:
        for code, exits in self.transitions.items():
            for event, to in exits.items():
                yield code, self._named(event), to


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
