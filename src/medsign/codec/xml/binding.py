"""Frozen attrs classes as the only statement of an XML format.

A field's annotation says everything: the marker names the attribute or element, the type gives the
rule of the text or the child class, ``| None`` makes it optional and ``tuple[X, ...]`` repeats it.
Reading, writing, structural checks, paths and documentation are derived from that table::

    @attrs.frozen(kw_only=True, repr=False)
    class FullName:
        surname: Annotated[str, Attribute("Фамилия", "Фамилия", Text(1, 200))]
        patronymic: Annotated[str | None, Attribute("Отчество", "Отчество", Text(1, 200))] = None

Elements stand in the order of the fields. Attributes have no namespace, elements share one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import attrs
from lxml import etree

from medsign.codec.xml.door import Node
from medsign.codec.xml.lexical import Lexical, LexicalError, default_rule
from medsign.errors import MalformedError, UsageError

T = TypeVar("T")

_SCHEMA_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
_ALWAYS_ALLOWED = {
    f"{_SCHEMA_INSTANCE}schemaLocation",
    f"{_SCHEMA_INSTANCE}noNamespaceSchemaLocation",
}
_UNEXPECTED = "не предусмотрено форматом"


@attrs.frozen
class Attribute:
    """The field is an XML attribute.

    Args:
        name: The XML name.
        label: The name in the words of the format's description.
        rule: Rule of the text; left out when the Python type implies it.
    """

    name: str
    label: str
    rule: Lexical[Any] | None = None


@attrs.frozen(eq=False)
class Branch:
    """A choice: at most one of the elements that share it is present.

    Args:
        required: Whether exactly one must be.
    """

    required: bool


@attrs.frozen
class Element:
    """The field is a child element, or a run of them when the field is a tuple.

    Args:
        name: The XML name.
        label: The name in the words of the format's description.
        rule: Rule of the element's text; left out for a class or when the type implies it.
        at_least: Smallest number of repetitions of a tuple.
        branch: The choice that the element belongs to.
    """

    name: str
    label: str
    rule: Lexical[Any] | None = None
    at_least: int = 0
    branch: Branch | None = None


@attrs.frozen(kw_only=True)
class Field:
    """One compiled row of the table.

    Attributes:
        child: The attrs class of the element's content, or ``None`` for text.
        rule: The rule of the text, or ``None`` for a class.
        low: Smallest number of occurrences.
        repeated: Whether the field is a tuple.
    """

    python: str
    name: str
    label: str
    is_attribute: bool
    child: type[Any] | None
    rule: Lexical[Any] | None
    low: int
    repeated: bool
    branch: Branch | None

    def values(self, owner: object) -> tuple[Any, ...]:
        """Return the occurrences of the field in an object, none for an absent one."""
        value = getattr(owner, self.python)
        if self.repeated:
            return cast("tuple[Any, ...]", value)
        return () if value is None else (value,)

    def step(self, index: int) -> str:
        """Return the last step of the path of the field's occurrence, counted from zero."""
        if self.is_attribute:
            return f"@{self.name}"
        return f"{self.name}[{index + 1}]" if self.repeated else self.name


@attrs.frozen
class Table:
    """All rows of one class."""

    attributes: Mapping[str, Field]
    elements: tuple[Field, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        """Attributes, then elements in their order."""
        return (*self.attributes.values(), *self.elements)


def _compile(cls: Any) -> Table:
    rows = [_row(name, hint) for name, hint in get_type_hints(cls, include_extras=True).items()]
    return Table(
        {row.name: row for row in rows if row.is_attribute},
        tuple(row for row in rows if not row.is_attribute),
    )


table: Callable[[Any], Table] = cache(_compile)
"""Compile the annotations of an attrs class."""


def _row(python: str, hint: Any) -> Field:
    kind, marker = get_args(hint) if get_origin(hint) is Annotated else (hint, None)
    if not isinstance(marker, Attribute | Element):
        raise TypeError(f"field {python!r} has no XML marker")
    low, repeated = 1, False
    if get_origin(kind) in (Union, UnionType):
        kind, low = next(part for part in get_args(kind) if part is not NoneType), 0
    elif get_origin(kind) is tuple:
        kind, repeated = get_args(kind)[0], True
        low = marker.at_least if isinstance(marker, Element) else 0
    child = kind if isinstance(kind, type) and attrs.has(kind) else None
    return Field(
        python=python,
        name=marker.name,
        label=marker.label,
        is_attribute=isinstance(marker, Attribute),
        child=child,
        rule=None if child else marker.rule or default_rule(kind),
        low=low,
        repeated=repeated,
        branch=marker.branch if isinstance(marker, Element) else None,
    )


@attrs.frozen(kw_only=True)
class Violation:
    """One breach of the structure.

    Attributes:
        code: ``missing``, ``unexpected``, ``order``, ``repeated``, ``choice``, ``text``, or the
            code of a `LexicalError`.
        path: Where, for instance ``Доверенность/Документ/Довер/СвУпПред[1]/@ТипПред``.
        line: Line in the source, 0 when unknown.
        message: What is wrong, in Russian, without values.
    """

    code: str
    path: str
    line: int
    message: str


class _Reader:
    def __init__(self, namespace: str | None) -> None:
        self.violations: list[Violation] = []
        self.prefix = f"{{{namespace}}}" if namespace else ""

    def report(self, node: Node, path: str, code: str, message: str) -> None:
        line = node.sourceline or 0
        self.violations.append(Violation(code=code, path=path, line=line, message=message))

    def name(self, node: Node) -> str:
        tag = cast("str", node.tag)
        return tag.removeprefix(self.prefix) if tag.startswith(self.prefix) else tag

    def content(self, cls: type[Any], node: Node, path: str) -> Any:
        """Return an instance of the class, or `None` after reporting why not."""
        before = len(self.violations)
        rows = table(cls)
        values = self._attributes(rows, node, path) | self._elements(rows, node, path)
        return cls(**values) if len(self.violations) == before else None

    def _attributes(self, rows: Table, node: Node, path: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name in node.attrib:
            if name not in rows.attributes and name not in _ALWAYS_ALLOWED:
                self.report(node, f"{path}/@{name}", "unexpected", _UNEXPECTED)
        for row in rows.attributes.values():
            text = node.get(row.name)
            if text is not None:
                values[row.python] = self._text(row, node, text, f"{path}/@{row.name}")
            elif row.low:
                self.report(node, f"{path}/@{row.name}", "missing", f"не указано: «{row.label}»")
        return values

    def _elements(self, rows: Table, node: Node, path: str) -> dict[str, Any]:
        found: dict[str, list[Any]] = {row.name: [] for row in rows.elements}
        order = {row.name: place for place, row in enumerate(rows.elements)}
        reached = 0
        for child in node:
            if not isinstance(child.tag, str):  # a comment or a processing instruction
                continue
            name = self.name(child)
            if name not in order:
                self.report(child, f"{path}/{name}", "unexpected", _UNEXPECTED)
                continue
            row = rows.elements[order[name]]
            here = f"{path}/{row.step(len(found[name]))}"
            if order[name] < reached:
                self.report(child, here, "order", "элемент стоит не на своём месте")
            if found[name] and not row.repeated:
                self.report(child, here, "repeated", "элемент указан повторно")
            reached = max(reached, order[name])
            found[name].append(self._occurrence(row, child, here))
        # An element of attributes alone has empty content: not even a line break.
        text = "".join(text or "" for text in _direct_text(node))
        if text.strip() if rows.elements else text:
            self.report(node, path, "text", "текст между элементами не предусмотрен форматом")
        for row in rows.elements:
            if len(found[row.name]) < row.low:
                self.report(node, f"{path}/{row.name}", "missing", f"не указано: «{row.label}»")
        self._choices(rows, node, path, {name for name, values in found.items() if values})
        return {
            row.python: tuple(found[row.name]) if row.repeated else found[row.name][0]
            for row in rows.elements
            if found[row.name]
        }

    def _choices(self, rows: Table, node: Node, path: str, present: set[str]) -> None:
        for branch in {row.branch for row in rows.elements if row.branch is not None}:
            names = [row.name for row in rows.elements if row.branch is branch]
            chosen = [name for name in names if name in present]
            listed = ", ".join(f"«{name}»" for name in names)
            if len(chosen) > 1:
                self.report(node, path, "choice", f"допускается только одно из: {listed}")
            elif not chosen and branch.required:
                self.report(node, path, "choice", f"нужно указать одно из: {listed}")

    def _occurrence(self, row: Field, node: Node, path: str) -> Any:
        if row.child is not None:
            return self.content(row.child, node, path)
        for name in node.attrib:
            if name not in _ALWAYS_ALLOWED:
                self.report(node, f"{path}/@{name}", "unexpected", _UNEXPECTED)
        for child in node:
            if isinstance(child.tag, str):
                here = f"{path}/{self.name(child)}"
                self.report(child, here, "unexpected", _UNEXPECTED)
        return self._text(row, node, "".join(text or "" for text in _direct_text(node)), path)

    def _text(self, row: Field, node: Node, text: str, path: str) -> Any:
        rule = cast("Lexical[Any]", row.rule)
        try:
            return rule.parse(text)
        except LexicalError as error:
            self.report(node, path, error.code, f"«{row.label}»: {error.russian}")
            return None


def _direct_text(node: Node) -> Iterator[str | None]:
    yield node.text
    for child in node:
        yield child.tail


def bind(
    cls: type[T], root: Node, name: str, *, namespace: str | None = None
) -> tuple[T | None, tuple[Violation, ...]]:
    """Read an element into a class and list every breach of the structure.

    Args:
        cls: An attrs class whose fields carry markers.
        root: The element.
        name: The name that the element must have.
        namespace: The namespace that it and its descendants must have.

    Returns:
        The object, or `None` when there are violations, and the violations in document order.
    """
    reader = _Reader(namespace)
    if reader.name(root) != name or not str(root.tag).startswith(reader.prefix):
        expected = f"«{name}» из пространства имён {namespace}" if namespace else f"«{name}»"
        reader.report(root, name, "missing", f"корневой элемент должен быть {expected}")
        return None, tuple(reader.violations)
    value: T | None = reader.content(cls, root, name)
    return value, tuple(reader.violations)


def read(cls: type[T], root: Node, name: str, *, namespace: str | None = None) -> T:
    """Read an element into a class.

    Raises:
        MalformedError: The first breach of the structure, with its path.
    """
    value, violations = bind(cls, root, name, namespace=namespace)
    if value is None:
        first = violations[0]
        raise MalformedError(name, first.path, f"{first.code} (line {first.line})")
    return value


def build(value: Any, name: str, *, namespace: str | None = None) -> Node:
    """Write an object as an element; `read` is the inverse.

    Raises:
        UsageError: A text holds a character that XML cannot carry.
    """
    prefix = f"{{{namespace}}}" if namespace else ""

    def fill(node: Node, owner: object, path: str) -> Node:
        for row in table(type(owner)).fields:
            for index, item in enumerate(row.values(owner)):
                here = f"{path}/{row.step(index)}"
                try:
                    if row.is_attribute:
                        node.set(row.name, cast("Lexical[Any]", row.rule).format(item))
                        continue
                    child = etree.SubElement(node, prefix + row.name)
                    if row.rule is not None:
                        child.text = row.rule.format(item)
                        continue
                except ValueError:
                    raise UsageError(
                        f"{here}: a character that XML cannot carry",
                        "В тексте есть недопустимый знак. Удалите его и повторите.",
                    ) from None
                fill(child, item, here)
        return node

    root = etree.Element(prefix + name, nsmap={None: namespace} if namespace else None)
    return fill(root, value, name)


@attrs.frozen
class Located:
    """A value with its path in the document and its row of the table.

    Attributes:
        path: XPath-like, with positions for repeated elements.
        value: An attrs object or a plain value; may be personal data.
        field: The row, or `None` for the root.
    """

    path: str
    value: Any = attrs.field(repr=False)
    field: Field | None = None


def walk(value: Any, name: str) -> Iterator[Located]:
    """Yield the object and everything below it, parents first, in the order of the document."""
    yield from _descend(Located(name, value))


def _descend(here: Located) -> Iterator[Located]:
    yield here
    if here.field is None or here.field.child is not None:
        for row in table(type(here.value)).fields:
            for found in _occurrences(here, row):
                yield from _descend(found)


def _occurrences(owner: Located, row: Field) -> Iterable[Located]:
    for index, item in enumerate(row.values(owner.value)):
        yield Located(f"{owner.path}/{row.step(index)}", item, row)


def locate(owner: Located, route: str) -> tuple[Located, ...]:
    """Follow a dotted route of Python names and return what stands at its end.

    An absent value is returned too, as `None`, with the path where it should stand; a route that
    breaks off earlier gives nothing, because what is above is missing and not this.

    Args:
        owner: Where to begin.
        route: For instance ``party.person.details.birth_date``.
    """
    found: list[Located] = [owner]
    steps = route.split(".")
    for place, step in enumerate(steps):
        last = place == len(steps) - 1
        below: list[Located] = []
        for here in found:
            row = next(row for row in table(type(here.value)).fields if row.python == step)
            present = list(_occurrences(here, row))
            if not present and last:
                present = [Located(f"{here.path}/{row.step(0)}", None, row)]
            below.extend(present)
        found = below
    return tuple(found)


@attrs.frozen(kw_only=True)
class FieldRow:
    """One line of the documentation derived from a class."""

    path: str
    label: str
    low: int
    repeated: bool
    kind: str


def describe(cls: type[Any], name: str) -> Iterator[FieldRow]:
    """Yield a line for each field of a class and of the classes below it."""
    for row in table(cls).fields:
        path = f"{name}/{'@' if row.is_attribute else ''}{row.name}"
        yield FieldRow(
            path=path,
            label=row.label,
            low=row.low,
            repeated=row.repeated,
            kind=row.rule.title if row.rule is not None else "состав",
        )
        if row.child is not None:
            yield from describe(row.child, path)
