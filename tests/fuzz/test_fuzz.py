"""Bytes in, a frozen object or one of two errors out, within the budget: for every door."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign import cms
from medsign.codec import asn1
from medsign.pki import CertificateTemplate, TrustStore, build_path, issue_root, subject_name
from medsign.pki.issuing import QUALIFIED, ROOT_CA, issue_certificate
from medsign.signers import SoftwareKey

HERE = Path(__file__).parent
spec = spec_from_file_location("medsign_fuzz_targets", HERE / "targets.py")
assert spec
assert spec.loader
targets = module_from_spec(spec)
sys.modules[spec.name] = targets
spec.loader.exec_module(targets)

NAMES = sorted(targets.TARGETS)
# Many times what it takes on a slow machine, and far below what an attacker would call a success.
SECONDS = 5.0
# What they refuse stands in what they return.
REPORTERS = {"verify", "poa_findings", "pdf_report"}


def hold(name: str, data: bytes) -> bool:
    """Hold the invariant of a door and its time; tell whether the bytes were refused."""
    started = time.perf_counter()
    refused = targets.refused(targets.TARGETS[name], data)
    assert time.perf_counter() - started < SECONDS
    return refused


@pytest.mark.parametrize("name", NAMES)
def test_mutants_of_our_own_artefacts_give_a_frozen_object_or_a_refusal(name):
    verdicts = {hold(name, data) for _, data in targets.corpus(targets.TARGETS[name].kind, 250)}
    assert (True in verdicts) == (name not in REPORTERS)


@given(name=st.sampled_from(NAMES), seed=st.integers(0, 2**64), rounds=st.integers(1, 5))
def test_mutants_of_mutants_give_a_frozen_object_or_a_refusal(name, seed, rounds):
    randomness = random.Random(seed)
    found = targets.seeds()
    guests = tuple(each for several in found.values() for each in several)
    data = randomness.choice(found[targets.TARGETS[name].kind])
    for _ in range(rounds):
        data = targets.mutated(data or b"\0", randomness, guests)
    hold(name, data)


@given(name=st.sampled_from(NAMES), data=st.binary(max_size=300))
def test_any_bytes_give_a_frozen_object_or_a_refusal(name, data):
    hold(name, data)


def test_the_good_artefacts_are_read_by_their_own_door():
    # the doors that borrow the seeds of others
    borrowed = {"safe", "bags"}
    borrowed |= {"certificate_references", "revocation_references"}
    refused = [
        name
        for name in NAMES
        if name not in borrowed
        for seed in targets.seeds()[targets.TARGETS[name].kind]
        if hold(name, seed)
    ]
    assert refused == []


@pytest.mark.parametrize("name", [path.name for path in sorted(targets.FOUND.iterdir())])
def test_what_was_found_once_is_held(name):
    door = name.partition("--")[0]
    hold(door, (targets.FOUND / name).read_bytes())


def test_every_decoder_of_the_door_is_a_target():
    decoders = {getattr(asn1, name) for name in asn1.__all__ if name.startswith("decode_")}
    assert decoders <= {each.read for each in targets.TARGETS.values()}


def test_mutants_are_the_same_at_each_run():
    first, second = (list(targets.corpus("certificate", 20)) for _ in range(2))
    assert first == second
    assert len({data for _, data in first}) > 15


@pytest.mark.parametrize("bomb", targets.BOMBS)
def test_a_bomb_ends_within_the_budget_at_every_door(bomb):
    refused = {name for name in NAMES if hold(name, targets.BOMBS[bomb])}
    assert len(refused) >= len(NAMES) - 4  # those that report, and the widest lists of all


@pytest.mark.parametrize("bomb", targets.PLANTED)
def test_a_bomb_inside_a_good_artefact_ends_within_the_budget(bomb):
    name, plant = targets.PLANTED[bomb]
    for seed in targets.seeds()[targets.TARGETS[name].kind][:2]:
        planted = plant(seed)
        assert planted != seed
        hold(name, planted)


def test_entities_are_refused_before_they_grow():
    bombs = [data for data in targets.BOMBS.values() if b"<!DOCTYPE" in data]
    assert len(bombs) == 3
    assert all(hold(name, data) for data in bombs for name in ("xml", "xml_signatures"))


def test_a_report_is_never_good_after_an_accident():
    found = targets.corpus("signed_data", 100)
    reports = [targets.verify(data) for _, data in found]
    assert all(each.indication is not cms.Indication.TOTAL_PASSED for each in reports)


@pytest.fixture(scope="module")
def crowd():
    """Return a leaf and a hundred certificates of one subject, the last of which signed it."""
    name, start = subject_name(organization="Один на всех"), targets.MOMENT

    def namesake(issuer=None, template: CertificateTemplate = ROOT_CA):
        key = SoftwareKey.generate()
        if issuer is None:
            return key.certified(issue_root(template, subject=name, signer=key, not_before=start))
        made = issue_certificate(
            template, subject=name, key=key.public_key, issuer=issuer, not_before=start
        )
        return key.certified(made)

    head = namesake()
    ring = [head]
    for number in range(99):
        ring.append(namesake(ring[number // 3]))
    leaf = issue_certificate(
        QUALIFIED,
        subject=subject_name(surname="Тестова"),
        key=SoftwareKey.generate().public_key,
        issuer=ring[-1],
        not_before=start,
    )
    return leaf, [each.certificate for each in ring]


def test_a_hundred_namesakes_end_within_the_budget(crowd):
    leaf, others = crowd
    started = time.perf_counter()
    facts = build_path(leaf, TrustStore(), others, at=targets.MOMENT)
    assert time.perf_counter() - started < 2 * SECONDS
    assert not facts.is_valid


def test_a_hundred_namesakes_do_not_hide_the_way(crowd):
    leaf, others = crowd
    facts = build_path(leaf, TrustStore(others[:1]), others, at=targets.MOMENT)
    assert facts.is_valid or {each.code.name for each in facts.problems} >= {"BUDGET_EXCEEDED"}


def test_the_harness_names_its_doors_without_atheris():
    done = subprocess.run(
        [sys.executable, HERE / "atheris_harness.py"], capture_output=True, check=False
    )
    assert done.returncode
    assert set(NAMES) <= set(done.stderr.decode().split())


def test_the_harness_writes_seeds(tmp_path):
    command = (HERE / "atheris_harness.py", "accredited", "--seeds", tmp_path)
    subprocess.run([sys.executable, *command], check=True)
    assert (tmp_path / "seed-0").read_bytes() == targets.seeds()["accredited"][0]
    assert {path.name for path in targets.FOUND.glob("accredited--*")} < {
        path.name for path in tmp_path.iterdir()
    }
