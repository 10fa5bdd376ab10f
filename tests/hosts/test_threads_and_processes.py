"""One window for many threads; and one window for each process, however that was started."""

from __future__ import annotations

import json
import os
import pickle

import pytest
from tests.hosts.conftest import RunProgram

from medsign.errors import (
    AddressRefused,
    ApiError,
    BudgetExceeded,
    ContentChanged,
    IllegalTransition,
    InvalidDocument,
    InvalidIdentifier,
    MalformedError,
    MedsignError,
    NotAuthentic,
    OutcomeUnknown,
    TimedOut,
    TokenError,
    TokenProblem,
    Unavailable,
    UsageError,
    VersionConflict,
)
from medsign.sandbox import Sandbox

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def test_sixteen_threads_share_one_window(live: Sandbox, run_program: RunProgram) -> None:
    shown = run_program("""
        import json
        from concurrent.futures import ThreadPoolExecutor
        from medsign.gost import DigestAlgorithm, digest
        from medsign.signers import SoftwareKey

        def mixed(number):
            row = send(window, f"t{number}")
            again = send(window, f"t{number}")
            listed = [each.document for each in window.sep.documents(package=f"pt{number}")]
            state = window.sep.status(row.number).state.label
            key = SoftwareKey.generate()
            hashed = digest(DigestAlgorithm.STREEBOG_256, PDF)
            signed = len(key.sign_digest(hashed))
            return row.number == again.number, listed == [f"dt{number}"], state, signed

        with MedSign(CONFIG) as window, ThreadPoolExecutor(16) as pool:
            results = set(pool.map(mixed, range(64)))
            assert window.sep.unfinished() == []
        print(json.dumps(list(results)))
    """)
    assert json.loads(shown) == [[True, True, "Документ направлен конкретному получателю", 64]]


@needs_fork
def test_a_window_that_crossed_a_fork_says_what_to_do(run_program: RunProgram) -> None:
    shown = run_program("""
        from medsign.errors import UsageError
        with MedSign(CONFIG) as window:
            send(window, "fork1")
            sys.stdout.flush()
            if os.fork() == 0:
                try:
                    send(window, "fork2")
                except UsageError as error:
                    print("child:", error, flush=True)
                window.close()
                os._exit(0)
            os.wait()
            print("parent:", send(window, "fork3").status)
    """)
    assert shown.splitlines() == [
        "child: this window was opened before a fork: open one in each process",
        "parent: Создан",
    ]


@needs_fork
def test_a_child_opens_its_own_window_though_the_parent_was_at_work(
    run_program: RunProgram,
) -> None:
    """Its journal is the parent's file; keys, nonces and curve points are its own."""
    shown = run_program("""
        import threading
        from medsign.gost import PortableProvider, default_provider
        from medsign.signers import SoftwareKey
        with MedSign(CONFIG) as window:
            send(window, "own0")
            SoftwareKey.generate().sign_digest(bytes(32))  # providers are loaded before the fork
            stop = threading.Event()

            def work():
                while not stop.is_set():
                    SoftwareKey.generate().sign_digest(bytes(32))
                    window.store.load("call/none")

            busy = [threading.Thread(target=work) for _ in range(4)]
            for thread in busy:
                thread.start()
            children = []
            import warnings
            warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 on: threads and fork
            sys.stdout.flush()
            for number in range(4):
                if (child := os.fork()) == 0:
                    with MedSign(CONFIG) as own:
                        row = send(own, f"own{number + 1}")
                        key = SoftwareKey.generate()
                        line = f"{row.status} {key.sign_digest(bytes(32)).hex()}\\n"
                        os.write(1, line.encode())  # whole, beside those of the other children
                    os._exit(0)
                children.append(child)
            codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
            stop.set()
            for thread in busy:
                thread.join()
            assert codes == [0] * 4, codes
            assert window.sep.unfinished() == []
    """)
    statuses, signatures = zip(*(line.split() for line in shown.splitlines()), strict=True)
    assert set(statuses) == {"Создан"}
    assert len(set(signatures)) == 4


@pytest.mark.parametrize("method", ["spawn", pytest.param("fork", marks=needs_fork)])
def test_a_pool_of_processes_sends_each_document_once(
    run_program: RunProgram, live: Sandbox, method: str
) -> None:
    shown = run_program(f"""
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        def one(number):
            with MedSign(CONFIG) as window:
                return send(window, f"{method}{{number % 4}}").number

        if __name__ == "__main__":
            context = multiprocessing.get_context("{method}")
            with ProcessPoolExecutor(2, mp_context=context) as pool:
                print(len(set(pool.map(one, range(8)))))
    """)
    assert shown == "4\n"


@pytest.mark.parametrize(
    "error",
    [
        UsageError("a text"),
        InvalidIdentifier("СНИЛС", "контрольное число"),
        InvalidDocument("доверенность", [("$.a", "нет")]),
        IllegalTransition("sep", "new", "sign", ["send"]),
        ContentChanged(),
        MalformedError("JSON", "$", "not JSON"),
        BudgetExceeded("depth", 5),
        TokenError(TokenProblem.PIN_WRONG),
        AddressRefused("a.test", "the port is not allowed"),
        Unavailable("x", "y"),
        VersionConflict("s", 1, 2),
        TimedOut("no answer in time"),
        NotAuthentic("key", "unknown"),
        ApiError(409, "exists", "Sent before", request_id="r", retry_after=1.0),
        OutcomeUnknown("sep.send", "k"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_comes_whole_out_of_another_process(error: MedsignError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (str(again), again.diagnostics()) == (str(error), error.diagnostics())
    assert vars(again) == vars(error)
