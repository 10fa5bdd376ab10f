"""Django: a blocking and an async view, one window per process, closed with the process."""

from __future__ import annotations

import pytest
from tests.hosts.conftest import RunProgram

pytest.importorskip("django", reason="needs django of the group `test`")

# In a process of its own: Django's settings are one for each process.
SITE = """
    import asyncio, atexit, functools, threading
    import django
    from django.conf import settings
    from django.http import JsonResponse
    from django.test import AsyncClient, Client
    from django.urls import path

    @functools.cache
    def window():
        opened = MedSign(CONFIG)
        atexit.register(opened.close)
        return opened

    def blocking(request, number):
        return JsonResponse({"number": send(window(), number).number})

    async def asynchronous(request, number):
        one = package(number)
        async with AsyncMedSign(CONFIG) as own:
            row = await own.sep.send(one, one.documents[0])
        return JsonResponse({"number": row.number})

    async def handed_over(request, number):
        row = await asyncio.to_thread(send, window(), number)
        return JsonResponse({"number": row.number})

    urlpatterns = [
        path("blocking/<number>", blocking),
        path("async/<number>", asynchronous),
        path("thread/<number>", handed_over),
    ]
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="test")
    django.setup()

    async def ask(kind, number):
        return (await AsyncClient().get(f"/{kind}/{number}")).json()["number"]

    first = Client().get("/blocking/django").json()["number"]
    # Under WSGI an async view runs in a loop of its own for each request.
    assert Client().get("/async/django").json()["number"] == first
    assert Client().get("/thread/django").json()["number"] == first

    # Under ASGI all requests share one loop; a blocking view runs in a thread.
    async def serve():
        return await asyncio.gather(
            *(ask(kind, "django") for kind in ("blocking", "async", "thread") * 3)
        )

    assert set(asyncio.run(serve())) == {first}

    answers = []
    def client(number):
        answers.append(Client().get(f"/blocking/dj{number % 4}").json()["number"])
    threads = [threading.Thread(target=client, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 16 and len(set(answers)) == 4
    assert window.cache_info().currsize == 1
    print("served")
"""


@pytest.mark.req("F059")
def test_views_of_both_kinds_use_windows_that_are_closed_with_the_process(
    run_program: RunProgram,
) -> None:
    assert run_program(SITE) == "served\n"
