"""One declaration, two colours: a flow becomes a method of a sync and of an async service."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from medsign.exchange.context import Context
from medsign.exchange.drivers import AsyncDriver, Driver
from medsign.exchange.effects import Flow, Listing, do
from medsign.exchange.ledger import Unfinished

P = ParamSpec("P")
T = TypeVar("T")
D = TypeVar("D", bound=Driver | AsyncDriver)
G = TypeVar("G", bound=Generator[Any, Any, Any])


class _Declaration(Generic[P, G]):
    """A flow as a method: its name, docstring and signature, less its context."""

    def __init__(self, flow: Callable[Concatenate[Any, P], G]) -> None:
        self.flow = flow
        self.__doc__ = flow.__doc__
        signature = inspect.signature(flow)
        self._signature = signature.replace(parameters=[*signature.parameters.values()][1:])

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.name = name

    def _bound(self, instance: Any) -> Any:
        if instance is None:
            return self

        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            context: Context = instance._context
            flow = self.flow(context, *args, **kwargs)
            followed = context.emit.follow(f"{context.service}.{self.name}", flow)
            return self._perform(instance._driver, followed)

        functools.update_wrapper(call, self.flow)
        call.__signature__ = self._signature  # type: ignore[attr-defined]
        return call

    def _perform(self, driver: Any, flow: Any) -> Any:
        raise NotImplementedError


class operation(_Declaration[P, Flow[T]], Generic[P, T]):  # noqa: N801 - reads as a decorator
    """Declares an operation once; blocking on a `Service`, awaitable on an `AsyncService`.

    The flow's first parameter is the service's `Context`; callers see the others.

    Example:
        >>> def ping(context: Context, text: str) -> Flow[int]:
        ...     '''Return the length of the text.'''
        ...     return len(text)
        ...     yield
        >>> class Echo:
        ...     ping = operation(ping)
        >>> class SyncEcho(Echo, Service): pass
        >>> class AsyncEcho(Echo, AsyncService): pass
        >>> import httpx
        >>> context = Context(service="echo", base_url="https://echo.test")
        >>> with httpx.Client() as http:
        ...     SyncEcho(context, Driver(http)).ping("hi")
        2
    """

    @overload
    def __get__(self, instance: Service, owner: type[Any]) -> Callable[P, T]: ...
    @overload
    def __get__(
        self, instance: AsyncService, owner: type[Any]
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...
    @overload
    def __get__(self, instance: None, owner: type[Any]) -> operation[P, T]: ...
    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        return self._bound(instance)

    def _perform(self, driver: Any, flow: Any) -> Any:
        return driver.run(flow)


class listing(_Declaration[P, Listing[T]], Generic[P, T]):  # noqa: N801 - reads as a decorator
    """Declares a paginated collection once; an iterator, or an async iterator.

    The flow yields an `Item` for each element beside its effects.
    """

    @overload
    def __get__(self, instance: Service, owner: type[Any]) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(
        self, instance: AsyncService, owner: type[Any]
    ) -> Callable[P, AsyncIterator[T]]: ...
    @overload
    def __get__(self, instance: None, owner: type[Any]) -> listing[P, T]: ...
    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        return self._bound(instance)

    def _perform(self, driver: Any, flow: Any) -> Any:
        return driver.iterate(flow)


def _unfinished(context: Context) -> Flow[list[Unfinished]]:
    """Return the creating calls whose outcome is unknown; repeat them with their keys."""
    return (yield from do(lambda: [*context.ledger.unfinished()]))


class _RemoteSystem(Generic[D]):
    """What both colours share."""

    unfinished = operation(_unfinished)

    def __init__(self, context: Context, driver: D) -> None:
        self._context = context
        self._driver = driver

    @property
    def context(self) -> Context:
        """Settings of the service."""
        return self._context


class Service(_RemoteSystem[Driver]):
    """A remote system, seen by blocking code.

    Args:
        context: Settings of the service.
        driver: What performs its operations.
    """


class AsyncService(_RemoteSystem[AsyncDriver]):
    """A remote system, seen by asyncio and trio code; the same operations as its twin.

    Args:
        context: Settings of the service.
        driver: What performs its operations.
    """
