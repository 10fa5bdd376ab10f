"""The parameter sets against their own algebra and against two independent copies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from gostcrypto import gostsignature

from medsign.errors import UsageError
from medsign.gost import PARAM_SETS, DigestAlgorithm, PrivateKey, param_set
from medsign.gost.curve import curve_of
from medsign.gost.params import EXAMPLE_256, EXAMPLE_512

every_set = pytest.mark.parametrize(
    "params", [*PARAM_SETS, EXAMPLE_256, EXAMPLE_512], ids=lambda params: params.name
)

OIDS = {
    **{f"1.2.643.7.1.2.1.1.{n}": 32 for n in (1, 2, 3, 4)},
    **{f"1.2.643.2.2.35.{n}": 32 for n in (1, 2, 3)},
    **{f"1.2.643.2.2.36.{n}": 32 for n in (0, 1)},
    **{f"1.2.643.7.1.2.1.2.{n}": 64 for n in (1, 2, 3)},
}


def test_all_sets_of_the_standard_are_there():
    assert {params.oid: params.size for params in PARAM_SETS} == OIDS


@every_set
def test_the_base_point_is_on_the_curve(params):
    assert (params.y**2 - params.x**3 - params.a * params.x - params.b) % params.p == 0


@every_set
def test_the_base_point_has_order_q(params):
    assert curve_of(params).has_order_q((params.x, params.y))


@every_set
def test_the_field_and_the_order_are_prime(params):
    for number in (params.p, params.q):
        assert all(pow(base, number - 1, number) == 1 for base in (2, 3, 5, 7))


@every_set
def test_cofactor_times_order_is_within_the_bound_of_hasse(params):
    assert (params.p + 1 - params.cofactor * params.q) ** 2 <= 4 * params.p


@every_set
def test_the_discriminant_is_not_zero(params):
    assert (4 * params.a**3 + 27 * params.b**2) % params.p != 0


@pytest.mark.parametrize("params", [p for p in PARAM_SETS if p.d], ids=lambda params: params.name)
def test_the_edwards_form_gives_the_weierstrass_coefficients(params):
    # RFC 7836 §5.2: a = s² - 3t², b = 2t³ - ts².
    p = params.p
    s, t = (params.e - params.d) * pow(4, -1, p), (params.e + params.d) * pow(6, -1, p)
    assert ((s * s - 3 * t * t) % p, (2 * t**3 - t * s * s) % p) == (params.a, params.b)


@pytest.mark.parametrize("params", [p for p in PARAM_SETS if p.d], ids=lambda params: params.name)
def test_the_edwards_addition_has_no_exceptions(params):
    # Complete when e is a square and d is none (Bernstein and Lange 2007).
    assert params.e == 1
    assert pow(params.d, (params.p - 1) // 2, params.p) == params.p - 1


def test_exactly_the_edwards_curves_have_a_cofactor():
    assert {p.oid for p in PARAM_SETS if p.cofactor == 4} == {p.oid for p in PARAM_SETS if p.d}


def test_the_cryptopro_names_mean_the_tc26_curves():
    for old, new in [("35.1", "2"), ("36.0", "2"), ("35.2", "3"), ("35.3", "4"), ("36.1", "4")]:
        left, right = param_set(f"1.2.643.2.2.{old}"), param_set(f"1.2.643.7.1.2.1.1.{new}")
        assert (left.p, left.q, left.a, left.b, left.x, left.y) == (
            (right.p, right.q, right.a, right.b, right.x, right.y)
        )
        assert left != right


def test_a_set_is_found_by_oid_and_by_name():
    for params in PARAM_SETS:
        assert param_set(params.oid) is param_set(params.name) is params


@pytest.mark.parametrize("oid", ["1.2.643.2.2.35.0", "1.2.643.7.1.2.1.2.0", "1.2.840.10045.3.1.7"])
def test_example_and_foreign_curves_carry_no_real_keys(oid):
    with pytest.raises(UsageError):
        param_set(oid)


@every_set
def test_the_digest_is_as_long_as_a_coordinate(params):
    assert params.digest.size == params.size
    assert params.digest in DigestAlgorithm


def test_a_repr_is_short():
    assert repr(PARAM_SETS[0]) == (
        "ParamSet(name='id-tc26-gost-3410-2012-256-paramSetA', oid='1.2.643.7.1.2.1.1.1')"
    )


def test_gostcrypto_has_the_same_numbers():
    theirs = gostsignature.CURVES_R_1323565_1_024_2019
    compared = 0
    for params in PARAM_SETS:
        for name in (params.name, params.name.replace("2012-", "12-", 1)):
            if curve := theirs.get(name):
                ours = (params.p, params.q)
                assert (curve["p"], curve["q"]) == ours
                if "b" in curve:
                    assert (curve["a"], curve["b"]) == (params.a, params.b)
                    assert (curve["x"], curve["y"]) == (params.x, params.y)
                compared += 1
    assert compared == 7


def test_core_vectors_have_the_same_numbers(shared_data: Path):
    path = shared_data / "real/08_vectors/core_vectors.json"
    curves = json.loads(path.read_text())["vectors"]["curves"]
    for params in (*PARAM_SETS, EXAMPLE_256, EXAMPLE_512):
        curve = curves[params.name]
        assert all(int(curve[key], 16) == getattr(params, key) for key in "pqabxy")
        assert curve["cofactor"] == params.cofactor


@every_set
def test_the_first_key_has_the_base_point_as_public_key(params):
    public = PrivateKey(params, 1).public_key()
    assert (public.x, public.y) == (params.x, params.y)
