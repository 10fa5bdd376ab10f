"""One declaration, two colours: a flow becomes a method of a sync and of an async service."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from medsign.exchange.context import Context
from medsign.exchange.drivers import AsyncDriver, Driver
from medsign.exchange.effects import Flow, Listing
from medsign.exchange.ledger import Unfinished

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Service:
    """A remote system, seen by blocking code.

    Args:
        context: Settings of the service.
        driver: What performs its operations.
    """

    def __init__(self, context: Context, driver: Driver) -> None:
        self._context = context
        self._driver = driver

    @property
    def context(self) -> Context:
        """Settings of the service."""
        return self._context

    def unfinished(self) -> list[Unfinished]:
        """Return the creating calls whose outcome is unknown; repeat them with their keys."""
        return _of_service(self._context)

    def _run(self, flow: Flow[T]) -> T:
        return self._driver.run(flow)

    def _iterate(self, listing: Listing[T]) -> Iterator[T]:
        return self._driver.iterate(listing)


class AsyncService:
    """A remote system, seen by asyncio and trio code; the same operations as its twin.

    Args:
        context: Settings of the service.
        driver: What performs its operations.
    """

    def __init__(self, context: Context, driver: AsyncDriver) -> None:
        self._context = context
        self._driver = driver

    @property
    def context(self) -> Context:
        """Settings of the service."""
        return self._context

    def unfinished(self) -> list[Unfinished]:
        """Return the creating calls whose outcome is unknown; repeat them with their keys."""
        return _of_service(self._context)

    def _run(self, flow: Flow[T]) -> Coroutine[Any, Any, T]:
        return self._driver.run(flow)

    def _iterate(self, listing: Listing[T]) -> AsyncIterator[T]:
        return self._driver.iterate(listing)


def _of_service(context: Context) -> list[Unfinished]:
    own = f"{context.service}."
    return [call for call in context.ledger.unfinished() if call.operation.startswith(own)]


class operation(Generic[P, T]):  # noqa: N801 - reads as a decorator
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

    def __init__(self, flow: Callable[Concatenate[Any, P], Flow[T]]) -> None:
        self.flow = flow
        self.dressed = _as_method(flow)
        self.__doc__ = flow.__doc__

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: Service, owner: type[Any]) -> Callable[P, T]: ...
    @overload
    def __get__(
        self, instance: AsyncService, owner: type[Any]
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...
    @overload
    def __get__(self, instance: None, owner: type[Any]) -> operation[P, T]: ...
    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self

        @self.dressed
        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            flow = self.flow(instance._context, *args, **kwargs)
            return instance._run(_followed(instance._context, self.name, flow))

        return call


class listing(Generic[P, T]):  # noqa: N801 - reads as a decorator
    """Declares a paginated collection once; an iterator, or an async iterator.

    The flow yields an `Item` for each element beside its effects.
    """

    def __init__(self, flow: Callable[Concatenate[Any, P], Listing[T]]) -> None:
        self.flow = flow
        self.dressed = _as_method(flow)
        self.__doc__ = flow.__doc__

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: Service, owner: type[Any]) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(
        self, instance: AsyncService, owner: type[Any]
    ) -> Callable[P, AsyncIterator[T]]: ...
    @overload
    def __get__(self, instance: None, owner: type[Any]) -> listing[P, T]: ...
    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self

        @self.dressed
        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            flow = self.flow(instance._context, *args, **kwargs)
            return instance._iterate(_followed(instance._context, self.name, flow))

        return call


def _followed(context: Context, name: str, flow: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
    return context.emit.follow(f"{context.service}.{name}", flow)


def _as_method(flow: Callable[..., Any]) -> Callable[[F], F]:
    """Give a method the flow's name, docstring and signature, less its context."""
    signature = inspect.signature(flow)
    own = list(signature.parameters.values())[1:]

    def dress(method: F) -> F:
        functools.update_wrapper(method, flow)
        method.__signature__ = signature.replace(parameters=own)  # type: ignore[attr-defined]
        return method

    return dress
