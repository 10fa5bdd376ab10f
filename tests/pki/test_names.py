"""Name constraints: each form of a name, permitted and excluded, and hostile numbers of them."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.codec.asn1 import GeneralName, NameConstraints, make_name, oids
from medsign.codec.asn1 import extension_values as ext
from medsign.pki.issuing import QUALIFIED, SUBORDINATE_CA, issue_root, subject_name
from medsign.pki.names import _within, name_problems
from medsign.pki.path import build_path
from medsign.pki.problems import ProblemCode
from medsign.pki.trust import TrustStore
from medsign.signers import SoftwareKey


def named(kind, *values):
    return tuple(GeneralName(kind, value) for value in values)


def of_organization(name):
    return make_name([(oids.COUNTRY, "RU"), (oids.ORGANIZATION, name)])


@pytest.fixture
def checked(authority, now):
    """Return `checked(constraints, *names)`: the kinds of problems of an owner's chain."""

    def check(constraints, *names, subject=None):
        limited = ext.name_constraints(constraints)
        ca = authority.certify(
            attrs.evolve(SUBORDINATE_CA, others=(limited,)), issuer=authority.root
        )
        others = (ext.subject_alternative_name(*names),) if names else ()
        owner = authority.certify(
            attrs.evolve(QUALIFIED, others=others), issuer=ca, subject=subject
        )
        facts = build_path(owner.certificate, authority.trust, [ca.certificate], at=now)
        assert {each.code for each in facts.problems} <= {ProblemCode.NAME_CONSTRAINTS}
        return bool(facts.problems)

    return check


@pytest.mark.parametrize(
    "kind, base, inside, outside",
    [
        ("dns", "test.invalid", "a.b.test.invalid", "atest.invalid"),
        ("dns", "test.invalid", "TEST.invalid", "invalid"),
        ("dns", ".test.invalid", "a.test.invalid", "b.invalid"),
        ("dns", "", "anything.invalid", None),
        ("rfc822", "anna@test.invalid", "anna@TEST.invalid", "Anna@test.invalid"),
        ("rfc822", "test.invalid", "anna@test.invalid", "anna@a.test.invalid"),
        ("rfc822", ".test.invalid", "anna@a.test.invalid", "anna@test.invalid"),
        ("uri", "test.invalid", "https://test.invalid/a", "https://a.test.invalid/"),
        ("uri", ".test.invalid", "http://u@a.test.invalid:80/", "http://test.invalid/"),
        ("ip", bytes((10, 1, 0, 0, 255, 255, 0, 0)), bytes((10, 1, 2, 3)), bytes((10, 2, 0, 1))),
        ("ip", bytes((10, 0, 0, 0, 255, 0, 0, 0)), bytes((10, 1, 2, 3)), bytes(16)),
        ("ip", bytes(32), bytes(16), bytes(4)),
        (
            "directory",
            of_organization("Тест"),
            make_name(
                [(oids.COUNTRY, "RU"), (oids.ORGANIZATION, "ТЕСТ"), (oids.COMMON_NAME, "Анна")]
            ),
            of_organization("Тест и другие"),
        ),
    ],
)
def test_a_name_is_in_a_subtree_or_not(kind, base, inside, outside):
    subtree = GeneralName(kind, base)
    assert _within(GeneralName(kind, inside), subtree)
    assert outside is None or not _within(GeneralName(kind, outside), subtree)


@pytest.mark.parametrize(
    "kind, value",
    [
        ("uri", "urn:test"),
        ("uri", "https://10.0.0.1/"),
        ("uri", "https://[::1]/"),
        ("uri", "https://localhost/"),
        ("uri", "https://[broken/"),
        ("rfc822", "no-host"),
        ("rfc822", "anna@"),
        ("dns", ""),
        ("ip", b"\x0a"),
    ],
)
def test_a_name_that_cannot_be_compared_is_refused_once_its_form_is_constrained(
    checked, kind, value
):
    base = bytes(8) if kind == "ip" else "test.invalid"
    name = GeneralName(kind, value)
    assert checked(NameConstraints(excluded=named(kind, base)), name)
    assert not checked(NameConstraints(excluded=named("registered_id", "1.2.3")), name)


def test_a_form_that_is_not_constrained_is_free(checked):
    constraints = NameConstraints(permitted=named("dns", "test.invalid"))
    assert not checked(constraints, *named("uri", "https://elsewhere.invalid/"))


def test_a_form_that_nobody_compares_is_refused_where_it_is_constrained(checked):
    constraints = NameConstraints(permitted=named("registered_id", "1.2.3"))
    assert checked(constraints, *named("registered_id", "1.2.3"))
    assert not checked(constraints, *named("dns", "test.invalid"))


def test_what_is_excluded_is_refused_though_it_is_permitted(checked):
    constraints = NameConstraints(
        permitted=named("dns", "test.invalid"), excluded=named("dns", "bad.test.invalid")
    )
    assert not checked(constraints, *named("dns", "good.test.invalid"))
    assert checked(constraints, *named("dns", "very.bad.test.invalid"))


def test_a_wildcard_may_not_stand_for_an_excluded_name(checked):
    constraints = NameConstraints(excluded=named("dns", "bad.test.invalid"))
    assert checked(constraints, *named("dns", "*.test.invalid"))
    assert not checked(constraints, *named("dns", "*.other.invalid"))


def test_each_of_the_names_must_be_permitted(checked):
    constraints = NameConstraints(permitted=named("dns", "test.invalid"))
    assert checked(constraints, *named("dns", "test.invalid", "other.invalid"))


def test_the_address_in_the_subject_is_an_address_too(checked):
    constraints = NameConstraints(permitted=named("rfc822", "other.invalid"))
    subject = subject_name(surname="Тестова", email="anna@test.invalid")
    assert checked(constraints, subject=subject)
    assert not checked(constraints, subject=subject_name(surname="Тестова"))


def test_constraints_add_up_from_authority_to_authority(authority, now):
    def limited(issuer, name, *domains):
        constraints = NameConstraints(permitted=named("dns", *domains))
        template = attrs.evolve(
            SUBORDINATE_CA,
            constraints=attrs.evolve(SUBORDINATE_CA.constraints, path_length=None),
            others=(ext.name_constraints(constraints),),
        )
        return authority.certify(template, issuer=issuer, subject=subject_name(organization=name))

    upper = limited(authority.root, "Выше", "a.invalid", "b.invalid")
    lower = limited(upper, "Ниже", "b.invalid", "c.invalid")
    cas = [upper.certificate, lower.certificate]
    for domain, valid in (("b.invalid", True), ("a.invalid", False), ("c.invalid", False)):
        others = (ext.subject_alternative_name(GeneralName("dns", domain)),)
        owner = authority.certify(attrs.evolve(QUALIFIED, others=others), issuer=lower)
        facts = build_path(owner.certificate, authority.trust, cas, at=now)
        assert facts.is_valid == valid, domain


def test_an_authority_may_renew_itself_in_spite_of_its_constraints(authority, now):
    subject = subject_name(organization="Тестовый УЦ со связанными руками")
    constraints = NameConstraints(permitted=named("directory", of_organization("Другая")))
    limited = attrs.evolve(
        SUBORDINATE_CA,
        constraints=attrs.evolve(SUBORDINATE_CA.constraints, path_length=1),
        others=(ext.name_constraints(constraints),),
    )
    ca = authority.certify(limited, issuer=authority.root, subject=subject)
    renewed = authority.certify(SUBORDINATE_CA, issuer=ca, subject=subject)
    owner = authority.certify(QUALIFIED, issuer=renewed, subject=of_organization("Другая"))
    cas = [ca.certificate, renewed.certificate]
    assert build_path(owner.certificate, authority.trust, cas, at=now).is_valid
    itself = build_path(renewed.certificate, authority.trust, cas, at=now)
    assert {each.code for each in itself.problems} == {ProblemCode.NAME_CONSTRAINTS}


def test_the_constraints_of_the_anchor_hold(authority, now):
    key = SoftwareKey.generate()
    constraints = NameConstraints(excluded=named("rfc822", "test.invalid"))
    root = key.certified(
        issue_root(
            attrs.evolve(SUBORDINATE_CA, others=(ext.name_constraints(constraints),)),
            subject=subject_name(organization="Корень"),
            signer=key,
            not_before=authority.root.certificate.not_before,
        )
    )
    owner = authority.certify(QUALIFIED, issuer=root)
    facts = build_path(owner.certificate, TrustStore([root.certificate]), at=now)
    assert {each.code for each in facts.problems} == {ProblemCode.NAME_CONSTRAINTS}


def test_a_crowd_of_names_and_constraints_ends_with_the_budget(authority, now):
    crowd = [f"{number}.invalid" for number in range(300)]
    ca = attrs.evolve(
        authority.ca.certificate, name_constraints=NameConstraints(excluded=named("dns", *crowd))
    )
    owner = attrs.evolve(
        authority.person.certificate, subject_alternative_names=named("dns", *crowd)
    )
    assert [each.code for each in name_problems([owner, ca])] == [ProblemCode.BUDGET_EXCEEDED]


LABELS = st.lists(st.sampled_from(["a", "b", "test"]), min_size=1, max_size=4).map(".".join)


@given(domain=LABELS, base=LABELS)
def test_a_domain_is_within_exactly_the_tails_of_its_labels(domain, base):
    labels, tail = domain.split("."), base.split(".")
    found = _within(GeneralName("dns", domain), GeneralName("dns", base))
    assert found == (labels[-len(tail) :] == tail)
