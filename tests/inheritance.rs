// SPDX-License-Identifier: GPL-3.0-or-later
//! A new key gets the security that Windows would give it.

use hivemend::edit::{AclKind, Creator, ListRule, inherit, inherit_list};
use hivemend::regf::{
    Ace, AceContent, Acl, SecurityDescriptor, Sid, ace_flags, descriptor_control as control,
};

/// Held against every key of every real hive.
#[path = "inheritance/corpus.rs"]
mod corpus;
/// In hives: records, their users and the ring of them.
#[path = "inheritance/records.rs"]
mod records;
/// Held against the published algorithm, restated.
#[path = "inheritance/restated.rs"]
mod restated;

/// A list of entries as in SDDL, `type;flags;rights;SID`, with blanks between.
fn acl(text: &str) -> Acl {
    Acl::new(text.split_whitespace().map(ace).collect())
}

fn ace(text: &str) -> Ace {
    let fields: Vec<&str> = text.split(';').collect();
    let [kind, flags, rights, who] = fields[..] else {
        panic!("not an entry: {text}");
    };
    let ace_type = KINDS.iter().find(|(name, _)| *name == kind).unwrap().1;
    let flags = flags.as_bytes().chunks(2).map(|pair| {
        let name = std::str::from_utf8(pair).unwrap();
        FLAGS.iter().find(|(flag, _)| *flag == name).unwrap().1
    });
    let mask = rights.split('|').map(right).fold(0, |all, one| all | one);
    Ace {
        ace_type,
        flags: flags.fold(0, |all, one| all | one),
        content: AceContent::Access {
            mask,
            object: Vec::new(),
            sid: sid(who),
            data: Vec::new(),
        },
    }
}

const KINDS: &[(&str, u8)] = &[("A", 0), ("D", 1), ("AU", 2), ("XA", 9), ("ML", 0x11)];

const FLAGS: &[(&str, u8)] = &[
    ("OI", 0x01),
    ("CI", 0x02),
    ("NP", 0x04),
    ("IO", 0x08),
    ("ID", 0x10),
    ("SA", 0x40),
    ("FA", 0x80),
];

fn right(text: &str) -> u32 {
    match text {
        "GR" => 0x8000_0000,
        "GW" => 0x4000_0000,
        "GX" => 0x2000_0000,
        "GA" => 0x1000_0000,
        "KR" => 0x2_0019,
        "KA" => 0xF_003F,
        hex => u32::from_str_radix(hex.trim_start_matches("0x"), 16).unwrap(),
    }
}

fn sid(text: &str) -> Sid {
    let parts: &[u32] = match text {
        "BA" => &[5, 32, 544],
        "BU" => &[5, 32, 545],
        "SY" => &[5, 18],
        "WD" => &[1, 0],
        "CO" => &[3, 0],
        "CG" => &[3, 1],
        "OW" => &[3, 4],
        "LW" => &[16, 4096],
        other => panic!("who is {other}?"),
    };
    let mut bytes = vec![1, u8::try_from(parts.len() - 1).unwrap(), 0, 0, 0, 0, 0];
    bytes.push(u8::try_from(parts[0]).unwrap());
    bytes.extend(parts[1..].iter().flat_map(|part| part.to_le_bytes()));
    Sid::parse(&bytes).unwrap()
}

/// A user and a group that nobody else is.
fn creator() -> Creator {
    Creator {
        owner: Sid::administrators(),
        group: Sid::local_system(),
    }
}

fn descriptor(bits: u16, dacl: &str) -> SecurityDescriptor {
    SecurityDescriptor {
        control: control::SELF_RELATIVE | control::DACL_PRESENT | bits,
        owner: Some(sid("SY")),
        group: Some(sid("BU")),
        sacl: None,
        dacl: Some(acl(dacl)),
    }
}

/// A rule, what the parent has, and what the new key gets.
struct Case {
    name: &'static str,
    rule: ListRule,
    parent: &'static str,
    child: &'static str,
}

const fn case(
    name: &'static str,
    rule: ListRule,
    parent: &'static str,
    child: &'static str,
) -> Case {
    Case {
        name,
        rule,
        parent,
        child,
    }
}

use ListRule::{Automatic, Plain, Split};

const CASES: &[Case] = &[
    case(
        "only what containers inherit, marked",
        Automatic,
        "A;;KA;BA A;CI;KR;BU A;OICI;KA;SY",
        "A;CIID;KR;BU A;OICIID;KA;SY",
    ),
    case(
        "a mark that was there stays",
        Automatic,
        "A;CIID;KR;BU",
        "A;CIID;KR;BU",
    ),
    case(
        "generic rights: effective, and as they are for the subkeys",
        Automatic,
        "A;CI;GR;BU A;CI;GW;WD A;CI;GA;SY",
        "A;ID;20019;BU A;CIIOID;GR;BU A;ID;20006;WD A;CIIOID;GW;WD A;ID;F003F;SY A;CIIOID;GA;SY",
    ),
    case(
        "generic rights beside others",
        Automatic,
        "A;CI;GR|10000;BU",
        "A;ID;30019;BU A;CIIOID;GR|10000;BU",
    ),
    case(
        "what no key has is not effective",
        Automatic,
        "A;CI;F01FF;BU",
        "A;ID;F003F;BU A;CIIOID;F01FF;BU",
    ),
    case(
        "what is for subkeys only becomes effective",
        Automatic,
        "A;CIIO;KR;BU",
        "A;CIID;KR;BU",
    ),
    case(
        "the placeholders",
        Automatic,
        "A;CIIO;KR;CO A;CIIO;GA;CG",
        "A;ID;KR;BA A;CIIOID;KR;CO A;ID;KA;SY A;CIIOID;GA;CG",
    ),
    case(
        "owner rights are no placeholder",
        Automatic,
        "A;CIIO;20000;OW",
        "A;CIID;20000;OW",
    ),
    case(
        "not propagated any further",
        Automatic,
        "A;CINP;GR;BU A;OICINP;KA;CO A;OINP;KA;WD A;CINPIO;KR;SY",
        "A;ID;KR;BU A;ID;KA;BA A;ID;KR;SY",
    ),
    case(
        "what values would inherit only goes on",
        Automatic,
        "A;OI;KR;BU",
        "A;OIIOID;KR;BU",
    ),
    case(
        "an effective entry is not doubled",
        Automatic,
        "A;CIID;KA;BA A;CIIOID;KA;CO",
        "A;CIID;KA;BA A;CIIOID;KA;CO",
    ),
    case(
        "nor is one that an earlier one includes",
        Automatic,
        "A;CI;KA;BA A;CIIO;GR;CO A;CI;KR;BA",
        "A;CIID;KA;BA A;CIIOID;GR;CO",
    ),
    case(
        "one that gives more is not left out",
        Automatic,
        "A;CI;KR;BA A;CI;KA;BA",
        "A;CIID;KR;BA A;CIID;KA;BA",
    ),
    case(
        "an entry whose effective part is there goes on all the same",
        Automatic,
        "A;CI;KA;BU A;CIIO;KA;CO A;CI;KA;BA",
        "A;CIID;KA;BU A;ID;KA;BA A;CIIOID;KA;CO A;CIIOID;KA;BA",
    ),
    case(
        "what is for subkeys does not include what is effective",
        Automatic,
        "A;OI;KA;BU A;CINP;KA;BU",
        "A;OIIOID;KA;BU A;ID;KA;BU",
    ),
    case(
        "an entry that denies is not included in one that allows",
        Automatic,
        "A;CI;KA;BU D;CI;KR;BU",
        "A;CIID;KA;BU D;CIID;KR;BU",
    ),
    case(
        "generic execution without a link",
        Automatic,
        "A;CI;GR|GX;BU",
        "A;ID;20019;BU A;CIIOID;GR|GX;BU",
    ),
    case(
        "and with one, where the parent's own entry has it",
        Automatic,
        "A;;20039;BU A;CIIO;GR|GX;BU",
        "A;ID;20039;BU A;CIIOID;GR|GX;BU",
    ),
    case(
        "not where the parent's entry has more than it",
        Automatic,
        "A;;KA;BU A;CIIO;GR|GX;BU",
        "A;ID;20019;BU A;CIIOID;GR|GX;BU",
    ),
    case(
        "not where it is someone else's",
        Automatic,
        "A;;20039;WD A;CIIO;GR|GX;BU",
        "A;ID;20019;BU A;CIIOID;GR|GX;BU",
    ),
    case(
        "not where it is for subkeys only",
        Automatic,
        "A;OIIO;20039;BU A;CIIO;GR|GX;BU",
        "A;OIIOID;20039;BU A;ID;20019;BU A;CIIOID;GR|GX;BU",
    ),
    case(
        "not where it denies",
        Automatic,
        "D;;20039;BU A;CIIO;GR|GX;BU",
        "A;ID;20019;BU A;CIIOID;GR|GX;BU",
    ),
    case(
        "generic execution is denied with the link",
        Automatic,
        "D;CI;GR|GX;BU D;;20019;WD D;CIIO;GR|GX;WD",
        "D;ID;20039;BU D;CIIOID;GR|GX;BU D;ID;20019;WD D;CIIOID;GR|GX;WD",
    ),
    case(
        "without marks: only what differs becomes two, and all is doubled",
        Plain,
        "A;CI;KR;BU A;CI;KA;BA A;;KA;BA A;CIIO;KA;CO A;CI;GR;WD",
        "A;CI;KR;BU A;CI;KA;BA A;;KA;BA A;CIIO;KA;CO A;;KR;WD A;CIIO;GR;WD",
    ),
    case(
        "without marks: one that is there goes on, but is not made effective",
        Plain,
        "A;CIIOID;GR;BU A;CIID;KA;SY",
        "A;;KR;BU A;CIIOID;GR;BU A;CIID;KA;SY",
    ),
    case(
        "NT 4: all become two",
        Split,
        "A;CI;KR;WD A;CI;KA;CO A;OICI;KA;SY A;CINP;KR;BU",
        "A;;KR;WD A;CIIO;KR;WD A;;KA;BA A;CIIO;KA;CO A;;KA;SY A;OICIIO;KA;SY A;;KR;BU",
    ),
    case(
        "NT 4: the same again, one level lower",
        Split,
        "A;;KR;WD A;CIIO;KR;WD A;;KA;BA A;CIIO;KA;CO",
        "A;;KR;WD A;CIIO;KR;WD A;;KA;BA A;CIIO;KA;CO",
    ),
];

#[test]
fn each_rule_of_inheritance() {
    for case in CASES {
        let found = inherit_list(
            &acl(case.parent),
            AclKind::Discretionary,
            case.rule,
            &creator(),
        );
        assert_eq!(found, acl(case.child), "{}", case.name);
    }
}

#[test]
fn what_is_audited_is_inherited_likewise() {
    let parent = acl("AU;CISAFA;GW;WD AU;CISA;10D0000;WD AU;CIFA;10D0000;WD AU;SA;KA;BA");
    let child =
        acl("AU;IDSAFA;20006;WD AU;CIIOIDSAFA;GW;WD AU;CIIDSA;10D0000;WD AU;CIIDFA;10D0000;WD");
    let found = inherit_list(&parent, AclKind::System, Automatic, &creator());
    assert_eq!(found, child);
    // The right to change what is audited is none that a list gives.
    let parent = acl("A;CI;10F003F;BA");
    let found = inherit_list(&parent, AclKind::Discretionary, Automatic, &creator());
    assert_eq!(found, acl("A;ID;KA;BA A;CIIOID;10F003F;BA"));
}

#[test]
fn a_mandatory_label_is_inherited_as_it_is() {
    let label = "ML;CI;100001;LW";
    for (rule, expected) in [(Automatic, "ML;CIID;100001;LW"), (Plain, label)] {
        let found = inherit_list(&acl(label), AclKind::System, rule, &creator());
        assert_eq!(found, acl(expected));
    }
    let found = inherit_list(&acl("ML;;1;LW"), AclKind::System, Automatic, &creator());
    assert_eq!(found, acl(""));
}

#[test]
fn what_nobody_knows_is_handed_on_as_it_is() {
    let other = |flags| Ace {
        ace_type: 0x80,
        flags,
        content: AceContent::Other(vec![1, 2, 3, 4, 5, 6, 7, 8]),
    };
    let parent = Acl::new(vec![other(ace_flags::CONTAINER_INHERIT), other(0)]);
    let found = inherit_list(&parent, AclKind::Discretionary, Automatic, &creator());
    let marked = ace_flags::CONTAINER_INHERIT | ace_flags::INHERITED;
    assert_eq!(found.aces, [other(marked)]);

    // Once, as any entry; and one that differs in a byte is another.
    let handed_on = other(ace_flags::CONTAINER_INHERIT);
    let mut differs = handed_on.clone();
    differs.content = AceContent::Other(vec![1, 2, 3, 4, 5, 6, 7, 9]);
    let parent = Acl::new(vec![handed_on.clone(), handed_on, differs.clone()]);
    let found = inherit_list(&parent, AclKind::Discretionary, Automatic, &creator());
    differs.flags = marked;
    assert_eq!(found.aces, [other(marked), differs]);
}

#[test]
fn a_condition_stays_with_its_entry() {
    let with = |text: &str, condition: &[u8]| {
        let mut ace = ace(text);
        if let AceContent::Access { data, .. } = &mut ace.content {
            data.extend(condition);
        }
        ace
    };
    let parent = Acl::new(vec![
        with("XA;CI;KR;CO", b"artx"),
        with("XA;CI;KR;BA", b"arty"),
    ]);
    let found = inherit_list(&parent, AclKind::Discretionary, Automatic, &creator());
    let expected = [
        with("XA;ID;KR;BA", b"artx"),
        with("XA;CIIOID;KR;CO", b"artx"),
        with("XA;CIID;KR;BA", b"arty"),
    ];
    assert_eq!(found.aces, expected);
}

#[test]
fn what_is_for_a_type_of_objects_only_goes_on() {
    let of = |flags, object_flags: u32| {
        let mut object = object_flags.to_le_bytes().to_vec();
        object.extend([7; 16]);
        Ace {
            ace_type: 5,
            flags,
            content: AceContent::Access {
                mask: 0x2_0019,
                object,
                sid: sid("BU"),
                data: Vec::new(),
            },
        }
    };
    let (typed, inherited) = (1, 2);
    let parent = Acl::new(vec![of(2, typed), of(2, inherited), of(6, inherited)]);
    let found = inherit_list(&parent, AclKind::Discretionary, Plain, &creator());
    assert_eq!(found.aces, [of(2, typed), of(0x0A, inherited)]);
}

#[test]
fn the_parents_marks_decide_and_go_on_and_protection_does_not() {
    let (dacl, sacl) = (control::DACL_AUTO_INHERITED, control::SACL_AUTO_INHERITED);
    let protected = control::DACL_PROTECTED | control::SACL_PROTECTED;
    let basic = control::SELF_RELATIVE | control::DACL_PRESENT;
    for (bits, list) in [
        (0, "A;CI;KR;BU"),
        (protected, "A;CI;KR;BU"),
        (sacl, "A;CI;KR;BU"),
        (dacl, "A;CIID;KR;BU"),
        (dacl | sacl | protected, "A;CIID;KR;BU"),
    ] {
        let parent = descriptor(bits, "A;CI;KR;BU");
        let child = inherit(&parent, &creator(), false).unwrap();
        assert_eq!(child.control, basic | bits & (dacl | sacl), "{bits:#x}");
        assert_eq!(child.dacl, Some(acl(list)), "{bits:#x}");
        assert_eq!(
            (child.owner, child.group),
            (Some(sid("BA")), Some(sid("SY")))
        );
    }
}

#[test]
fn a_list_of_what_is_audited_is_there_only_where_something_is_inherited() {
    let marks = control::SACL_PRESENT | control::SACL_AUTO_INHERITED;
    let mut parent = descriptor(marks, "A;CI;KR;BU");
    for (sacl, expected) in [
        (None, None),
        (Some(""), None),
        (Some("AU;SA;KA;WD"), None),
        (Some("AU;CISA;KA;WD"), Some("AU;CIIDSA;KA;WD")),
    ] {
        parent.sacl = sacl.map(acl);
        let child = inherit(&parent, &creator(), false).unwrap();
        assert_eq!(child.sacl, expected.map(acl));
        let present = child.has(control::SACL_PRESENT);
        assert_eq!(present, expected.is_some());
    }
}

/// No list at all, or one without a restriction, would give everything to everyone.
#[test]
fn where_nothing_is_inherited_administrators_and_the_system_have_the_key() {
    let mut parent = descriptor(control::DACL_AUTO_INHERITED, "");
    let lists = [
        None,
        Some(""),
        Some("A;;KA;WD"),
        Some("A;OINP;KA;WD"),
        Some("A;IO;KA;WD"),
    ];
    for list in lists {
        for present in [0, control::DACL_PRESENT] {
            parent.control = parent.control & !control::DACL_PRESENT | present;
            parent.dacl = list.map(acl);
            for nt4 in [false, true] {
                let child = inherit(&parent, &creator(), nt4).unwrap();
                assert_eq!(child.dacl, Some(acl("A;;KA;BA A;;KA;SY")), "{list:?}");
                assert!(child.has(control::DACL_PRESENT));
            }
        }
    }
    // As Windows: what only values would inherit is a list, and gives nobody anything.
    parent.dacl = Some(acl("A;OI;KA;WD"));
    let child = inherit(&parent, &creator(), false).unwrap();
    assert_eq!(child.dacl, Some(acl("A;OIIOID;KA;WD")));
}
