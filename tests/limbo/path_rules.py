"""Chains that break a rule of RFC 5280 about names, extensions and policies, or seem to."""

from __future__ import annotations

from bench import (
    AT,
    BAD,
    CA,
    DAY,
    GOOD,
    HOUR,
    LEAF,
    ROOT,
    START,
    Cases,
    Party,
    certify,
    key,
    leaf,
    named,
    path,
    sub,
)

from medsign.codec.asn1 import (
    AuthorityKeyIdentifier,
    BasicConstraints,
    Extension,
    GeneralName,
    Name,
    NameConstraints,
    PolicyConstraints,
    der,
    oids,
)
from medsign.codec.asn1 import extension_values as ext
from medsign.codec.asn1.names import NameAttribute, encode_name
from medsign.pki import QUALIFIED, issue_certificate, subject_name

ONE, TWO, ANY = "1.3.6.1.4.1.55555.1.1", "1.3.6.1.4.1.55555.1.2", oids.ANY_POLICY
UNKNOWN = "1.3.6.1.4.1.55555.7"


def cases() -> Cases:
    yield from name_chaining()
    yield from authorities()
    yield from usages()
    yield from critical()
    yield from self_issued()
    yield from key_identifiers()
    yield from cross()
    yield from crowds()
    yield from policies()
    yield from subtrees()
    yield from qualified()


def name_chaining() -> Cases:
    rule = "RFC 5280 §6.1.3 (a)(4), §7.1"
    both = (oids.ORGANIZATION, "Limbo Test"), (oids.COUNTRY, "RU")
    authority = sub("named", name=named("Named authority", *both))

    def below(name: Name) -> Party:
        return leaf(authority, issuer_name=name)

    for label, name, expected, text in (
        ("equal", authority.name, GOOD, "equal"),
        ("case", named("NAMED authority", *both), GOOD, "written in another case"),
        ("spaces", named(" Named   authority ", *both), GOOD, "written with more spaces"),
        ("order", named("Named authority", *both[::-1]), BAD, "in another order"),
        ("shorter", named("Named authority", both[0]), BAD, "without the country"),
        ("other", named("Another authority", *both), BAD, "another one"),
        ("empty", Name((), encode_name(())), BAD, "empty"),
    ):
        yield path(
            f"names::{label}",
            below(name),
            expected,
            rule,
            f"The issuer's name in the leaf is {text}.",
            authority,
        )
    printable = tuple(
        (NameAttribute(each.oid, each.value, der.PRINTABLE),)
        for rdn in authority.name.rdns
        for each in rdn
    )
    yield path(
        "names::string-type",
        below(Name(printable, encode_name(printable))),
        GOOD,
        rule,
        "The issuer's name in the leaf is written in PrintableString instead of UTF8String.",
        authority,
    )
    pair = tuple(NameAttribute.of(oid, value) for oid, value in both)
    several = certify(Name((pair,), encode_name((pair,))), key("authority"), ROOT, ca=True)
    yield path(
        "names::multi-valued",
        leaf(several),
        GOOD,
        rule,
        "The authority's name has two attributes in one part.",
        several,
    )
    yield path(
        "names::multi-valued-split",
        leaf(several, issuer_name=named("x", *both)),
        BAD,
        rule,
        "The authority's name has two attributes in one part, the leaf names them apart.",
        several,
    )
    cyrillic = sub("cyrillic", name=named("Тестовый УЦ"))
    yield path("names::cyrillic", leaf(cyrillic), GOOD, rule, "A name in Russian.", cyrillic)
    yield path(
        "names::cyrillic-case",
        leaf(cyrillic, issuer_name=named("ТЕСТОВЫЙ уц")),
        GOOD,
        rule,
        "A name in Russian, written in another case by the leaf.",
        cyrillic,
    )


def authorities() -> Cases:
    rule = "RFC 5280 §6.1.4 (k)"
    for label, options, expected, text in (
        ("absent", {"constraints": None}, BAD, "no basicConstraints"),
        ("false", {"constraints": BasicConstraints(ca=False)}, BAD, "cA FALSE"),
        ("version-1", {"version": 1}, BAD, "version 1 and so no extensions"),
        ("leaf-as-authority", {"ca": False}, BAD, "the extensions of a leaf"),
    ):
        authority = sub("authority of a kind", **options)
        yield path(
            f"basic-constraints::{label}",
            leaf(authority),
            expected,
            rule,
            f"The authority has {text}.",
            authority,
        )
    value = ext.basic_constraints(BasicConstraints(ca=True)).value
    plain = Extension(oids.BASIC_CONSTRAINTS, critical=False, value=value)
    authority = sub("plain", constraints=None, extra=(plain,))
    yield path(
        "basic-constraints::not-critical",
        leaf(authority),
        GOOD,
        "RFC 5280 §4.2.1.9, §6.1.4 (k)",
        "basicConstraints of the authority is not critical: a fault of the issuer that the "
        "validation does not ask about.",
        authority,
    )
    for label, encoded, text in (
        ("negative", der.sequence(der.true_or_absent(True), der.integer(-1)), "a negative length"),
        ("not-a-sequence", der.integer(5), "an integer"),
        ("trailing", value + b"\0", "an octet too many"),
        ("true-as-1", der.sequence(der.tlv(1, b"\1")), "TRUE written as 1"),
    ):
        broken = Extension(oids.BASIC_CONSTRAINTS, critical=True, value=encoded)
        authority = sub("broken", constraints=None, extra=(broken,))
        yield path(
            f"basic-constraints::{label}",
            leaf(authority),
            BAD,
            "RFC 5280 §4.2.1.9; X.690 §11",
            f"basicConstraints of the authority is {text}.",
            authority,
        )
    old = certify("Old root", key("root"), version=1)
    yield path(
        "basic-constraints::anchor-of-version-1",
        leaf(old),
        GOOD,
        "RFC 5280 §6.1.1 (d)",
        "The anchor is of version 1, as old roots are.",
        pool=(),
        trusted=(old,),
    )
    yield path(
        "basic-constraints::peer-is-an-authority",
        CA,
        GOOD,
        "RFC 5280 §6.1",
        "The certificate in question is an authority itself.",
        pool=(),
    )
    rule = "RFC 5280 §6.1.4 (l), (m)"

    def limited(length: int, top: Party = ROOT, label: str = "limited") -> Party:
        return sub(label, top, constraints=BasicConstraints(ca=True, path_length=length))

    zero, one = limited(0), limited(1)
    below_zero, below_one = sub("below", zero), sub("below", one)
    deeper = sub("deeper", below_one)
    renewed = certify("Limbo limited", key("renewed"), zero, ca=True)
    wide = limited(5, zero, "wide")
    for label, peer, pool, expected, text in (
        ("zero-leaf", leaf(zero), (zero,), GOOD, "0 above a leaf"),
        ("zero-authority", leaf(below_zero), (zero, below_zero), BAD, "0 above an authority"),
        ("zero-peer-authority", below_zero, (zero,), GOOD, "0; the last certificate never counts"),
        ("one-authority", leaf(below_one), (one, below_one), GOOD, "1 above one authority"),
        ("one-two", leaf(deeper), (one, below_one, deeper), BAD, "1 above two authorities"),
        ("self-issued", leaf(renewed), (zero, renewed), GOOD, "0; self-issued ones do not count"),
        ("cannot-grow", leaf(wide), (zero, wide), BAD, "0 above an authority that claims 5"),
    ):
        yield path(f"path-length::{label}", peer, expected, rule, f"pathLen {text}.", *pool)
    root = certify(
        "Limited root", key("root"), constraints=BasicConstraints(ca=True, path_length=0), ca=True
    )
    authority = sub("below the root", root)
    yield path(
        "path-length::anchor",
        leaf(authority),
        BAD,
        "RFC 5937 §3.2",
        "pathLen 0 in the anchor above an authority.",
        authority,
        trusted=(root,),
        features=("anchor-constraints",),
    )
    yield path(
        "path-length::leaf",
        leaf(constraints=BasicConstraints(ca=False, path_length=0)),
        GOOD,
        "RFC 5280 §4.2.1.9",
        "pathLen in a leaf: a fault of the issuer without consequence.",
        notes="The issuer must not write it; the validation algorithm does not look at it.",
    )


def usages() -> Cases:
    for label, usage, expected, text in (
        ("crl-only", ("cRLSign",), BAD, "cRLSign only"),
        ("signs-documents", ("digitalSignature",), BAD, "digitalSignature only"),
        ("cert-sign", ("keyCertSign",), GOOD, "keyCertSign only"),
        ("absent", None, GOOD, "none"),
        ("nothing", (), BAD, "an empty one"),
    ):
        authority = sub("usage", usage=usage)
        yield path(
            f"key-usage::authority-{label}",
            leaf(authority),
            expected,
            "RFC 5280 §6.1.4 (n)",
            f"keyUsage of the authority: {text}.",
            authority,
        )
    value = ext.key_usage("keyCertSign").value
    plain = Extension(oids.KEY_USAGE, critical=False, value=value)
    authority = sub("usage", usage=None, extra=(plain,))
    yield path(
        "key-usage::not-critical",
        leaf(authority),
        GOOD,
        "RFC 5280 §4.2.1.3",
        "keyUsage of the authority is not critical.",
        authority,
    )
    root = certify("Limbo usage root", key("root"), ca=True, usage=("cRLSign",))
    yield path(
        "key-usage::anchor",
        leaf(root),
        BAD,
        "RFC 5937 §3.2",
        "keyUsage of the anchor lacks keyCertSign.",
        pool=(),
        trusted=(root,),
        features=("anchor-constraints",),
    )
    for label, critical in (("critical", True), ("plain", False)):
        purposes = ext.extended_key_usage(oids.TIME_STAMPING, critical=critical)
        yield path(
            f"purposes::leaf-{label}",
            leaf(extra=(purposes,)),
            GOOD,
            "RFC 5280 §4.2.1.12",
            f"extKeyUsage of the leaf is {label}; nobody asked for a purpose.",
        )


def critical() -> Cases:
    for critical, expected in ((True, BAD), (False, GOOD)):
        word = "critical" if critical else "plain"
        extra = (Extension(UNKNOWN, critical, der.null()),)
        clause = "RFC 5280 §4.2, §6.1.4 (o), §6.1.5 (f)"
        authority = sub("unknown", extra=extra)
        root = certify("Limbo root of its own", key("root"), ca=True, extra=extra)
        yield path(
            f"unknown-extension::leaf-{word}",
            leaf(extra=extra),
            expected,
            clause,
            f"An unknown {word} extension in the leaf.",
        )
        yield path(
            f"unknown-extension::authority-{word}",
            leaf(authority),
            expected,
            clause,
            f"An unknown {word} extension in the authority.",
            authority,
        )
        yield path(
            f"unknown-extension::anchor-{word}",
            leaf(root),
            expected,
            "RFC 5937 §3.2",
            f"An unknown {word} extension in the anchor.",
            pool=(),
            trusted=(root,),
            features=("anchor-constraints",),
        )
    mail = GeneralName("rfc822", "leaf@test.invalid")
    known = attrs_critical(ext.subject_alternative_name(mail))
    yield path(
        "known-extension::alternative-name",
        leaf(extra=(known,)),
        GOOD,
        "RFC 5280 §4.2",
        "subjectAltName is critical and known.",
    )
    policy = attrs_critical(ext.certificate_policies(ONE))
    yield path(
        "known-extension::policies",
        leaf(extra=(policy,)),
        GOOD,
        "RFC 5280 §4.2",
        "certificatePolicies is critical and known.",
    )


def attrs_critical(extension: Extension) -> Extension:
    return Extension(extension.oid, critical=True, value=extension.value)


def self_issued() -> Cases:
    rule = "RFC 5280 §3.2, §6.1"
    renewed = certify("Limbo root", key("new root"), ROOT, ca=True)
    yield path(
        "self-issued::new-with-old",
        leaf(renewed),
        GOOD,
        rule,
        "The root certified its new key by its old one; the old one is trusted.",
        renewed,
    )
    new = certify("Limbo root", key("new root"), ca=True)
    old = certify("Limbo root", key("root"), new, ca=True)
    yield path(
        "self-issued::old-with-new",
        LEAF,
        GOOD,
        rule,
        "The root certified its old key by its new one; the new one is trusted.",
        CA,
        old,
        trusted=(new,),
    )
    yield path(
        "self-issued::namesake-of-the-root",
        leaf(certify("Limbo root", key("thief"), ca=True)),
        BAD,
        rule,
        "Somebody made a root of the same name.",
        certify("Limbo root", key("thief"), ca=True),
    )
    alone = certify("Limbo alone", key("alone"))
    yield path("self-issued::untrusted-leaf", alone, BAD, rule, "A leaf signed by itself.", pool=())
    yield path(
        "self-issued::trusted-leaf",
        alone,
        GOOD,
        "RFC 5280 §6.1.1 (d)",
        "A leaf signed by itself and trusted by decision.",
        pool=(),
        trusted=(alone,),
    )


def key_identifiers() -> Cases:
    rule = "RFC 5280 §4.2.1.1, §6.1"
    note = "The identifier helps to find an issuer and is not part of §6.1; OpenSSL refuses it."
    wrong = AuthorityKeyIdentifier(b"\x55" * 20)
    yield path(
        "key-identifier::authority-absent",
        leaf(authority=None),
        GOOD,
        rule,
        "The leaf has no authorityKeyIdentifier.",
    )
    yield path(
        "key-identifier::subject-absent",
        leaf(key_identifier=None),
        GOOD,
        rule,
        "The leaf has no subjectKeyIdentifier.",
    )
    yield path(
        "key-identifier::mismatch",
        leaf(authority=wrong),
        GOOD,
        rule,
        "authorityKeyIdentifier of the leaf is not the subjectKeyIdentifier of its issuer.",
        notes=note,
        features=("key-identifier",),
    )
    serial = AuthorityKeyIdentifier(None, (GeneralName("directory", named("Nobody")),), 5)
    yield path(
        "key-identifier::issuer-and-serial-mismatch",
        leaf(authority=serial),
        GOOD,
        rule,
        "authorityKeyIdentifier of the leaf names another issuer and serial number.",
        notes=note,
        features=("key-identifier",),
    )
    right = AuthorityKeyIdentifier(
        None, (GeneralName("directory", ROOT.name),), CA.certificate.serial_number
    )
    yield path(
        "key-identifier::issuer-and-serial",
        leaf(authority=right),
        GOOD,
        rule,
        "authorityKeyIdentifier of the leaf names the issuer's issuer and serial number.",
    )
    bare = sub("bare", key_identifier=None, authority=None)
    yield path(
        "key-identifier::none-at-all",
        leaf(bare, authority=None),
        GOOD,
        rule,
        "Nobody in the chain has an identifier.",
        bare,
    )
    decoy = certify("Limbo authority", key("decoy"), ROOT, ca=True)
    yield path(
        "key-identifier::decoy",
        LEAF,
        GOOD,
        rule,
        "Of two authorities of one name the identifier tells which.",
        decoy,
        CA,
    )


def cross() -> Cases:
    rule = "RFC 5280 §3.2; RFC 4158 §2"
    other = certify("Other root", key("other root"), ca=True)
    bridge = certify("Limbo authority", key("authority"), other, ca=True)
    old = certify("Limbo authority", key("authority"), other, ca=True, end=AT - DAY)
    back = certify("Other root", key("other root"), CA, ca=True)
    yield path(
        "cross::by-the-other",
        LEAF,
        GOOD,
        rule,
        "Two roots certified the authority; only the second is trusted.",
        CA,
        bridge,
        trusted=(other,),
    )
    yield path(
        "cross::both",
        LEAF,
        GOOD,
        rule,
        "Two roots certified the authority; both are trusted.",
        bridge,
        CA,
        trusted=(ROOT, other),
    )
    yield path(
        "cross::expired-and-valid",
        LEAF,
        GOOD,
        rule,
        "One of the two certificates of the "
        "authority has expired, the other leads to an anchor too.",
        old,
        CA,
        trusted=(ROOT, other),
    )
    yield path(
        "cross::expired-only",
        LEAF,
        BAD,
        rule,
        "The certificate of the authority that leads to the trusted root has expired.",
        old,
        CA,
        trusted=(other,),
    )
    yield path(
        "cross::loop",
        LEAF,
        GOOD,
        rule,
        "The authority and the other root certified each other; one way leads to the anchor.",
        back,
        bridge,
        CA,
    )
    yield path(
        "cross::loop-without-exit",
        LEAF,
        BAD,
        rule,
        "The authority and the other root certified each other and nobody is trusted.",
        back,
        bridge,
        trusted=(certify("Far root", key("far root"), ca=True),),
    )
    unfit = certify("Limbo authority", key("authority"), other, ca=True, usage=("cRLSign",))
    yield path(
        "cross::unfit-and-fit",
        LEAF,
        GOOD,
        rule,
        "One certificate of the authority lacks keyCertSign, the other is good.",
        unfit,
        CA,
        trusted=(ROOT, other),
        features=("backtracking",),
    )
    limited = certify(
        "Limbo authority",
        key("authority"),
        other,
        ca=True,
        extra=(Extension(UNKNOWN, True, der.null()),),
    )
    yield path(
        "cross::critical-and-fit",
        LEAF,
        GOOD,
        rule,
        "One certificate of the authority has an unknown critical extension, the other is good.",
        limited,
        CA,
        trusted=(other, ROOT),
        features=("backtracking",),
    )


def crowds() -> Cases:
    rule = "RFC 5280 §6.1; RFC 4158 §5"
    crowd = tuple(
        certify("Limbo authority", key(f"crowd {number}"), ROOT, ca=True) for number in range(30)
    )
    yield path(
        "crowd::namesakes",
        LEAF,
        GOOD,
        rule,
        "Thirty authorities of one name and one that signed.",
        *crowd,
        CA,
        features=("pathological",),
    )
    yield path(
        "crowd::namesakes-without-the-issuer",
        LEAF,
        BAD,
        rule,
        "Thirty authorities of one name and none that signed.",
        *crowd,
        features=("pathological",),
    )
    ring = [certify("Ring", key(f"ring {number}"), ca=True) for number in range(12)]
    woven = tuple(
        certify("Ring", key(f"ring {below}"), ring[above], ca=True)
        for below in range(4)
        for above in range(4)
        if below != above
    )
    yield path(
        "crowd::ring",
        leaf(ring[0]),
        BAD,
        rule,
        "Four keys of one name certified each other in every direction; no way leads out.",
        *woven,
        features=("pathological",),
    )
    for length, expected in ((6, GOOD), (8, GOOD)):
        chain = [ROOT]
        for number in range(length):
            chain.append(sub(f"step {number}", chain[-1]))
        yield path(
            f"crowd::chain-of-{length}",
            leaf(chain[-1]),
            expected,
            rule,
            f"{length} authorities one below the other.",
            *chain[1:],
        )
    copies = tuple(
        certify("Limbo authority", key("authority"), ROOT, ca=True, start=START + number * HOUR)
        for number in range(20)
    )
    yield path(
        "crowd::copies",
        LEAF,
        GOOD,
        rule,
        "Twenty certificates of one name and one key.",
        *copies,
        features=("pathological",),
    )


def mapping(*pairs: tuple[str, str]) -> Extension:
    value = der.sequence(*(der.sequence(*map(der.oid, pair)) for pair in pairs))
    return Extension(oids.POLICY_MAPPINGS, critical=True, value=value)


def policies() -> Cases:
    rule = "RFC 5280 §6.1.3 (d)-(f), §6.1.5 (g)"

    def wanted(*oids_: str, **options: bool):
        return {
            "acceptable": list(oids_ or (ANY,)),
            "require_explicit": True,
            "inhibit_mapping": False,
            "inhibit_any": False,
        } | options

    def chain(upper, lower, options, expected, label, text, others=(), lower_others=()):
        authority = sub(
            "policies", extra=(*([ext.certificate_policies(*upper)] if upper else ()), *others)
        )
        peer = leaf(
            authority, extra=(*([ext.certificate_policies(*lower)] if lower else ()), *lower_others)
        )
        return path(
            f"policies::{label}",
            peer,
            expected,
            rule,
            text,
            authority,
            policies=options,
            features=("policies",),
        )

    yield chain((ONE,), (ONE,), wanted(ONE), GOOD, "same", "Both name the policy wanted.")
    yield chain((ONE,), (ONE,), wanted(TWO), BAD, "other", "Both name another policy.")
    yield chain((ONE,), (TWO,), wanted(), BAD, "disjoint", "They name different policies.")
    yield chain((), (ONE,), wanted(), BAD, "authority-none", "The authority names none.")
    yield chain((ONE,), (), wanted(), BAD, "leaf-none", "The leaf names none.")
    yield chain((ANY,), (ONE,), wanted(ONE), GOOD, "any-above", "The authority names anyPolicy.")
    yield chain((ONE,), (ANY,), wanted(ONE), GOOD, "any-below", "The leaf names anyPolicy.")
    yield chain((ONE, TWO), (TWO,), wanted(TWO), GOOD, "one-of-two", "The authority names two.")
    yield chain(
        (ANY,),
        (ONE,),
        wanted(ONE, inhibit_any=True),
        BAD,
        "any-inhibited",
        "anyPolicy of the authority does not count.",
    )
    yield chain(
        (),
        (),
        wanted(require_explicit=False),
        GOOD,
        "not-required",
        "Nobody names a policy and none is required.",
    )
    required = ext.policy_constraints(PolicyConstraints(0, None))
    yield chain(
        (ONE,),
        (),
        None,
        BAD,
        "demanded-by-the-authority",
        "The authority demands a policy and the leaf has none.",
        (required,),
    )
    yield chain(
        (ONE,),
        (ONE,),
        None,
        GOOD,
        "demanded-and-there",
        "The authority demands a policy and the leaf has it.",
        (required,),
    )
    later = ext.policy_constraints(PolicyConstraints(5, None))
    yield chain(
        (ONE,),
        (),
        None,
        GOOD,
        "demanded-later",
        "The authority demands a policy five certificates below.",
        (later,),
    )
    yield chain(
        (ONE,),
        (TWO,),
        wanted(ONE),
        GOOD,
        "mapped",
        "The authority maps its policy to that of the leaf.",
        (mapping((ONE, TWO)),),
    )
    yield chain(
        (ONE,),
        (TWO,),
        wanted(ONE, inhibit_mapping=True),
        BAD,
        "mapping-inhibited",
        "The mapping is inhibited.",
        (mapping((ONE, TWO)),),
    )
    yield chain(
        (ANY,),
        (TWO,),
        wanted(),
        BAD,
        "mapping-any",
        "A mapping from anyPolicy is forbidden.",
        (mapping((ANY, TWO)),),
    )
    inhibit = Extension(oids.INHIBIT_ANY_POLICY, True, der.integer(0))
    yield chain(
        (ONE,),
        (ANY,),
        wanted(ONE),
        BAD,
        "any-inhibited-by-the-authority",
        "The authority inhibits anyPolicy below itself.",
        (inhibit,),
    )


def subtrees() -> Cases:
    rule = "RFC 5280 §4.2.1.10, §6.1.3 (b)-(c)"
    base = (oids.ORGANIZATION, "Limbo Clinic")
    clinic, other = named("Leaf", base), named("Leaf", (oids.ORGANIZATION, "Other"))
    area = GeneralName("directory", make(base))

    def chain(constraints, label, expected, text, **options):
        authority = sub("constrained", extra=(ext.name_constraints(constraints),))
        return path(
            f"name-constraints::{label}",
            leaf(authority, **options),
            expected,
            rule,
            text,
            authority,
            features=("name-constraints",),
        )

    inside, outside = NameConstraints((area,)), NameConstraints((), (area,))
    yield chain(
        inside, "directory-permitted", GOOD, "The name is below the one permitted.", name=clinic
    )
    yield chain(
        inside,
        "directory-not-permitted",
        BAD,
        "The name is not below the one permitted.",
        name=other,
    )
    yield chain(
        outside, "directory-excluded", BAD, "The name is below the one excluded.", name=clinic
    )
    yield chain(
        outside, "directory-not-excluded", GOOD, "The name is not the one excluded.", name=other
    )
    yield chain(
        NameConstraints((area,), (area,)),
        "excluded-wins",
        BAD,
        "The name is permitted and excluded.",
        name=clinic,
    )
    kinds = (
        ("mail-host", "rfc822", "test.invalid", "a@test.invalid", "a@other.invalid"),
        ("mail-domain", "rfc822", ".test.invalid", "a@b.test.invalid", "a@test.invalid"),
        ("mail-box", "rfc822", "a@test.invalid", "a@test.invalid", "b@test.invalid"),
        ("dns", "dns", "test.invalid", "www.test.invalid", "wwwtest.invalid"),
        ("uri-host", "uri", "test.invalid", "https://test.invalid/x", "https://a.test.invalid/"),
        ("uri-domain", "uri", ".test.invalid", "https://a.test.invalid/", "https://test.invalid/"),
        (
            "ipv4",
            "ip",
            bytes((10, 0, 0, 0, 255, 0, 0, 0)),
            bytes((10, 1, 2, 3)),
            bytes((11, 1, 2, 3)),
        ),
        (
            "ipv6",
            "ip",
            bytes(range(16)) + b"\xff" * 8 + bytes(8),
            bytes(range(8)) + bytes(8),
            bytes(16),
        ),
    )
    for label, kind, subtree, within, beyond in kinds:
        for word, value in (("within", within), ("beyond", beyond)):
            alternative = (ext.subject_alternative_name(GeneralName(kind, value)),)
            of = GeneralName(kind, subtree)
            yield chain(
                NameConstraints((of,)),
                f"{label}-permitted-{word}",
                GOOD if word == "within" else BAD,
                f"A {label} name {word} the subtree permitted.",
                extra=alternative,
            )
            yield chain(
                NameConstraints((), (of,)),
                f"{label}-excluded-{word}",
                BAD if word == "within" else GOOD,
                f"A {label} name {word} the subtree excluded.",
                extra=alternative,
            )
    mail = GeneralName("rfc822", "test.invalid")
    yield chain(
        NameConstraints((mail,)),
        "other-kind",
        GOOD,
        "Mail is constrained and the leaf has a directory name only.",
    )
    yield chain(
        NameConstraints((mail,)),
        "mail-in-the-subject",
        BAD,
        "Mail is constrained; the address is an attribute of the subject's name.",
        name=named("Leaf", (oids.EMAIL, "a@other.invalid")),
    )
    authority = sub("constrained", extra=(ext.name_constraints(inside),))
    yield path(
        "name-constraints::authority-below",
        leaf(sub("stray", authority), name=clinic),
        BAD,
        rule,
        "An authority between breaks the constraint, the leaf does not.",
        authority,
        sub("stray", authority),
        features=("name-constraints",),
    )
    root = certify("Constrained root", key("root"), ca=True, extra=(ext.name_constraints(inside),))
    yield path(
        "name-constraints::anchor",
        leaf(root, name=other),
        BAD,
        "RFC 5937 §3.2",
        "The constraint is in the anchor.",
        pool=(),
        trusted=(root,),
        features=("name-constraints", "anchor-constraints"),
    )


def make(*pairs: tuple[str, str]) -> Name:
    from medsign.codec.asn1 import make_name

    return make_name(pairs)


def qualified() -> Cases:
    """Chains whose leaf must be a qualified certificate as well: feature ru-qualified."""
    rule = "приказ ФСБ от 27.12.2011 №795"
    import attrs

    person = {"surname": "Тестова", "given_names": "Анна Петровна"}
    numbers = {"inn": "999900000097", "snils": "99900000115"}
    organisation = {
        "organization": "ООО «Тест»",
        "inn_legal": "9999000000",
        "ogrn": "9999900000004",
    }

    def case(label, expected, text, *, template=QUALIFIED, **values):
        name = subject_name(**(values or {**person, **numbers}))
        certificate = issue_certificate(
            template,
            subject=name,
            key=key("leaf").public_key,
            issuer=CA.signing,
            not_before=START,
            serial_number=1 << 62,
        )
        peer = Party(name, key("leaf"), certificate.der, b"")
        return path(
            f"ru-qualified::{label}", peer, expected, rule, text, features=("ru-qualified",)
        )

    yield case("person", GOOD, "A person with ИНН and СНИЛС.")
    yield case("head", GOOD, "The head of an organisation.", **person, **numbers, **organisation)
    yield case("organisation", GOOD, "An organisation without a person.", **organisation)
    yield case("no-snils", BAD, "A person without СНИЛС.", **person, inn=numbers["inn"])
    yield case("no-inn", BAD, "A person without ИНН.", **person, snils=numbers["snils"])
    without = {
        "no-subject-tool": {"subject_sign_tool": None},
        "no-issuer-tool": {"issuer_sign_tool": None},
        "no-identification": {"identification_kind": None},
        "no-class": {"policies": ()},
        "no-non-repudiation": {"key_usage": ("digitalSignature",)},
    }
    for label, change in without.items():
        yield case(
            label,
            BAD,
            f"The certificate of a person, {label.replace('-', ' ')}.",
            template=attrs.evolve(QUALIFIED, **change),
        )
    yield case(
        "no-key-period",
        GOOD,
        "No privateKeyUsagePeriod: a habit, not a demand.",
        template=attrs.evolve(QUALIFIED, key_period=None),
    )
