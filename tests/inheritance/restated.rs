// SPDX-License-Identifier: GPL-3.0-or-later
//! MS-DTYP 2.5.3.4.2 (ComputeACL), .4 (ComputeInheritedACLfromParent) and .7 (PostProcessACL) for a
//! container, restated as plainly as can be, and held against ours by what an access check says.
//!
//! One step of the published text is left out: it skips entries that are for subkeys only, and with
//! that no real key would have the list it has. And it says nothing of Windows 7's link with
//! GENERIC_EXECUTE; where there is such a right, that bit is not compared.

use hivemend::edit::{AclKind, ListRule, inherit, inherit_list};
use hivemend::regf::{
    Ace, AceContent, Acl, SecurityDescriptor, Sid, ace_flags, descriptor_control as control,
    key_access,
};
use proptest::prelude::*;

use super::{creator, descriptor, sid};

const PEOPLE: [&str; 5] = ["BA", "BU", "SY", "CO", "CG"];
const RIGHTS: u32 = key_access::KEY_ALL_ACCESS;
const LINK: u32 = key_access::KEY_CREATE_LINK;

/// As the document has it: the explicit list, then the inheritable one.
fn restated(parent: &Acl) -> Vec<Ace> {
    let mut explicit = Vec::new();
    for ace in &parent.aces {
        if ace.flags & 0x02 != 0 {
            let mut new = ace.clone();
            new.flags = ace_flags::INHERITED;
            explicit.push(post_processed(new));
        }
    }
    let mut inheritable = Vec::new();
    for ace in &parent.aces {
        if ace.flags & 0x04 == 0 && ace.flags & 0x03 != 0 {
            let mut new = ace.clone();
            new.flags |= ace_flags::INHERITED | ace_flags::INHERIT_ONLY;
            inheritable.push(new);
        }
    }
    explicit.extend(inheritable);
    explicit
}

fn post_processed(mut ace: Ace) -> Ace {
    if let AceContent::Access { mask, sid: who, .. } = &mut ace.content {
        if *who == sid("CO") {
            *who = creator().owner;
        }
        if *who == sid("CG") {
            *who = creator().group;
        }
        for (generic, rights) in [
            (0x8000_0000, 0x2_0019),
            (0x4000_0000, 0x2_0006),
            (0x2000_0000, 0x2_0019),
            (0x1000_0000, 0xF_003F),
        ] {
            if *mask & generic != 0 {
                *mask |= rights;
            }
        }
    }
    ace
}

/// The rights that a list gives to someone who is all of `people`: the first entry that speaks of a
/// right decides.
fn granted(list: &[Ace], people: &[Sid]) -> u32 {
    let (mut allowed, mut denied) = (0, 0);
    for ace in list.iter().filter(|ace| ace.flags & 0x08 == 0) {
        let AceContent::Access { mask, sid, .. } = &ace.content else {
            continue;
        };
        match ace.ace_type {
            _ if !people.contains(sid) => {}
            0 => allowed |= mask & !denied & RIGHTS,
            _ => denied |= mask & !allowed & RIGHTS,
        }
    }
    allowed
}

fn everyone() -> impl Iterator<Item = Vec<Sid>> {
    let people = ["BA", "BU", "SY"];
    (0..8_usize).map(move |set| {
        let them = people
            .iter()
            .enumerate()
            .filter(|(at, _)| set >> at & 1 == 1);
        them.map(|(_, name)| sid(name)).collect()
    })
}

fn entry(generic: bool) -> impl Strategy<Value = Ace> {
    let masks = match generic {
        true => vec![
            0x8000_0000,
            0x4000_0000,
            0x2000_0000,
            0xA000_0000,
            0x1000_0000,
            0xE001_0000,
            0x2_0019,
            0x2_0039,
        ],
        false => vec![
            0x2_0019,
            0x2_0039,
            0xF_003F,
            0x1_0000,
            0x20,
            0x9000_0000,
            0xC000_0004,
        ],
    };
    let mask = prop_oneof![prop::sample::select(masks), 0..=RIGHTS];
    (0_u8..2, 0_u8..0x20, mask, prop::sample::select(&PEOPLE[..])).prop_map(
        |(kind, flags, mask, who)| {
            let mut ace = Ace::allowed(flags, mask, sid(who));
            ace.ace_type = kind;
            ace
        },
    )
}

fn list(generic: bool) -> impl Strategy<Value = Acl> {
    prop::collection::vec(entry(generic), 0..12).prop_map(Acl::new)
}

/// What three generations of keys grant, by us and as restated.
fn expect_the_same(parent: &Acl, ignored: u32) -> Result<(), TestCaseError> {
    for rule in [ListRule::Automatic, ListRule::Plain, ListRule::Split] {
        let (mut ours, mut theirs) = (parent.clone(), parent.clone());
        for generation in 1..=3 {
            ours = inherit_list(&ours, AclKind::Discretionary, rule, &creator());
            theirs = Acl::new(restated(&theirs));
            for people in everyone() {
                let found = granted(&ours.aces, &people) & !ignored;
                let expected = granted(&theirs.aces, &people) & !ignored;
                prop_assert_eq!(found, expected, "{:?} {} {:?}", rule, generation, &people);
            }
            // Nothing inheritable is lost or won; the other list would come in for it.
            prop_assert_eq!(ours.aces.is_empty(), theirs.aces.is_empty());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn what_a_key_grants_is_what_the_document_says(parent in list(false)) {
        expect_the_same(&parent, 0)?;
    }

    #[test]
    fn generic_execution_too_but_for_the_link(parent in list(true)) {
        expect_the_same(&parent, LINK)?;
    }

    /// The link is never given to someone who has it neither by the parent nor by the document.
    #[test]
    fn the_link_comes_from_the_parent_alone(parent in list(true)) {
        let ours = inherit_list(&parent, AclKind::Discretionary, ListRule::Plain, &creator());
        let theirs = restated(&parent);
        for people in everyone() {
            let given = granted(&ours.aces, &people) & LINK;
            let above = granted_by_allowing(&parent.aces, &people);
            let said = granted_by_allowing(&theirs, &people);
            prop_assert!(given & !(above | said) == 0);
        }
    }

    /// So a chain of new keys has few descriptors, however long it is.
    #[test]
    fn it_comes_to_rest(parent in list(true), bits in any::<u16>(), nt4 in any::<bool>()) {
        let marks = control::DACL_AUTO_INHERITED | control::SACL_AUTO_INHERITED;
        let mut above = descriptor(bits & marks, "");
        above.dacl = Some(parent);
        let mut all = vec![above];
        for _ in 0..5 {
            all.push(inherit(all.last().unwrap(), &creator(), nt4).unwrap());
        }
        prop_assert_eq!(&all[4], &all[5]);
    }

    #[test]
    fn what_is_written_reads_back(
        lists in (list(true), list(false)),
        bits in any::<u16>(),
        nt4 in any::<bool>(),
    ) {
        let mut parent = descriptor(bits | control::SACL_PRESENT, "");
        (parent.dacl, parent.sacl) = (Some(lists.0), Some(lists.1));
        for descriptor in [inherit(&parent, &creator(), nt4).unwrap(), parent] {
            let bytes = descriptor.to_bytes().unwrap();
            prop_assert_eq!(SecurityDescriptor::parse(&bytes), Ok(descriptor));
        }
    }

    /// Any bytes: an answer, no panic, and nothing that cannot be written.
    #[test]
    fn hostile_bytes_are_survived(
        parent in list(true),
        holes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut whole = descriptor(control::DACL_AUTO_INHERITED, "");
        whole.dacl = Some(parent);
        let mut bytes = whole.to_bytes().unwrap();
        for (at, byte) in holes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            let Ok(parent) = SecurityDescriptor::parse(bytes) else {
                continue;
            };
            let child = inherit(&parent, &creator(), false).unwrap();
            let written = child.to_bytes().unwrap();
            prop_assert_eq!(SecurityDescriptor::parse(&written).map(|read| read.control), Ok(child.control));
        }
    }
}

/// As if nothing were denied.
fn granted_by_allowing(list: &[Ace], people: &[Sid]) -> u32 {
    let allowing = list.iter().filter(|ace| ace.ace_type == 0).cloned();
    granted(&allowing.collect::<Vec<_>>(), people) & LINK
}
