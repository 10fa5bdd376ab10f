'''A fake world for tests and training: УЦ, OCSP, TSP, СЭП, МЧД, ЕКП, Госуслуги in one handler.

It is no toy: signatures, certificates, dates, states and tokens are judged as the real systems
would judge them. In process it is an httpx transport; ``medsign sandbox --port N`` serves the
same handler over HTTP.

How to add a service. One module, one class; state lives in drawers, refusals are raised:

    >>> import attrs
    >>> from medsign.sandbox import Call, Problem, Route, Sandbox, Service
    >>> @attrs.frozen
    ... class Letter:
    ...     text: str
    >>> class Post(Service):
    ...     """Letters by number."""
    ...     name, base, title = "post", "/post", "Почта"
    ...     def routes(self):
    ...         return (
    ...             Route(method="POST", path="/letters", operation="post.letter.create",
    ...                   handler=self._create, accepts=Letter, returns=Letter, status=201,
    ...                   creating=True, summary="Отправить письмо"),
    ...             Route(method="GET", path="/letters/{id}", operation="post.letter.get",
    ...                   handler=self._get, returns=Letter, summary="Письмо", refusals=(404,)),
    ...             Route(method="GET", path="/letters", operation="post.letter.list",
    ...                   handler=lambda call: self._letters().items(), returns=Letter,
    ...                   listing=True, summary="Все письма"),
    ...         )
    ...     def _letters(self):
    ...         return self.world.drawer("post.letters", Letter)
    ...     def _create(self, call):
    ...         self._letters().put(self.world.new_id(), call.body)
    ...         return call.body
    ...     def _get(self, call):
    ...         if letter := self._letters().get(call["id"]):
    ...             return letter
    ...         raise Problem(404, "letter-not-found", "No such letter", "Письмо не найдено")

The front desk does the rest: token (``Authorization: <scheme> <token>``), type of the body
(``call.body`` is already a `Letter`), ``Idempotency-Key`` and ``GET /post/operations/{key}``,
pages, problem details, faults, the description at ``/openapi.json``. A handler that raises leaves
no trace. `MalformedError` becomes 400, `IllegalTransition` 409, `InvalidDocument` 422 by itself.

    >>> import httpx
    >>> sandbox = Sandbox([Post])
    >>> post = sandbox.endpoint("post")
    >>> with httpx.Client(
    ...     transport=sandbox.transport(), headers={"Authorization": f"Bearer {post.token}"}
    ... ) as http:
    ...     sent = http.post(post.url + "/letters", json={"text": "Здравствуйте"},
    ...                      headers={"Idempotency-Key": "k1"})
    ...     http.get(post.url + "/letters").json()
    {'items': [{'text': 'Здравствуйте'}]}
    >>> sandbox.close()

Add the class to ``SERVICES`` in `medsign.sandbox.catalogue`; until then tests pass it as above.
Time comes from ``self.world.clock``, identifiers from ``self.world.new_id()``, SMS codes go out
by ``self.world.send("sms", phone, text)``, a further service of the world (the certificates of
the УЦ) is asked for through its own drawers or functions of its module. A service that gives out
tokens itself calls ``self.world.tokens.issue(name, owner, lifetime=…)``; a service whose refusals
have another form overrides `Service.refuse`; ``about()`` tells a tester links and sample persons.
'''

from medsign.sandbox.desk import Delivery
from medsign.sandbox.facade import Endpoint, Sandbox
from medsign.sandbox.faults import Fault, FaultKind
from medsign.sandbox.routing import Call, Problem, Reply, Request, Route, Service
from medsign.sandbox.shelf import Drawer, Shelf
from medsign.sandbox.world import Message, MovableClock, RunningClock, World

__all__ = [
    "Call",
    "Delivery",
    "Drawer",
    "Endpoint",
    "Fault",
    "FaultKind",
    "Message",
    "MovableClock",
    "Problem",
    "Reply",
    "Request",
    "Route",
    "RunningClock",
    "Sandbox",
    "Service",
    "Shelf",
    "World",
]
