// SPDX-License-Identifier: GPL-3.0-or-later
//! Whether one list of rights lets anybody do what another does not.
//!
//! Where that cannot be told, the answer is yes: these answers only ever refuse.

use std::collections::BTreeMap;

/// Rights that a file has by the generic ones: read, write, execute, all.
const GENERIC: [(u32, u32); 4] = [
    (0x8000_0000, 0x0012_0089),
    (0x4000_0000, 0x0012_0116),
    (0x2000_0000, 0x0012_00a0),
    (0x1000_0000, 0x001f_01ff),
];
const DACL_PRESENT: u16 = 0x0004;
const SACL_PRESENT: u16 = 0x0010;
const INHERIT_ONLY: u8 = 0x08;
const ALLOWED: u8 = 0x00;
const DENIED: u8 = 0x01;
const AUDIT: u8 = 0x02;

/// Whether the security descriptor `wanted` grants what `present` does not. Both are self-relative,
/// as NTFS has them.
///
/// Spec: MS-DTYP, 2.4.6 SECURITY_DESCRIPTOR.
pub(super) fn descriptor_widens(wanted: &[u8], present: &[u8]) -> bool {
    if wanted == present {
        return false;
    }
    match (Descriptor::parse(wanted), Descriptor::parse(present)) {
        (Some(wanted), Some(present)) => wanted.widens(&present),
        _ => true,
    }
}

/// What of a descriptor decides who may do what.
struct Descriptor<'a> {
    owner: &'a [u8],
    group: &'a [u8],
    /// `None`: everybody may do everything.
    rules: Option<Rules<'a>>,
    /// Entries of the system's list that are no audit entries: the mandatory label.
    labels: Vec<&'a [u8]>,
}

#[derive(Default)]
struct Rules<'a> {
    allowed: BTreeMap<&'a [u8], u32>,
    denied: BTreeMap<&'a [u8], u32>,
    /// Entries of other kinds, whole.
    others: Vec<&'a [u8]>,
    /// Whether each denial stands before what it denies.
    is_ordered: bool,
}

impl<'a> Descriptor<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let control = number16(bytes, 2)?;
        let part = |at: usize| usize::try_from(number32(bytes, at)?).ok();
        let sid = |at: usize| match part(at)? {
            0 => bytes.get(..0),
            at => sid_at(bytes.get(at..)?),
        };
        let list = |flag: u16, at: usize| match part(at)? {
            at if control & flag != 0 && at != 0 => entries(bytes.get(at..)?).map(Some),
            _ => Some(None),
        };
        let labels = list(SACL_PRESENT, 12)?.unwrap_or_default();
        let rules = match list(DACL_PRESENT, 16)? {
            Some(entries) => Some(Rules::of(&entries)?),
            None => None,
        };
        Some(Self {
            owner: sid(4)?,
            group: sid(8)?,
            rules,
            labels: labels
                .into_iter()
                .filter(|entry| entry.first() != Some(&AUDIT))
                .collect(),
        })
    }

    fn widens(&self, present: &Self) -> bool {
        if (self.owner, self.group) != (present.owner, present.group)
            || self.labels != present.labels
        {
            return true;
        }
        match (&self.rules, &present.rules) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(wanted), Some(present)) => wanted.widens(present),
        }
    }
}

impl<'a> Rules<'a> {
    fn of(entries: &[&'a [u8]]) -> Option<Self> {
        let mut rules = Self {
            is_ordered: true,
            ..Self::default()
        };
        for entry in entries {
            let (kind, flags) = (*entry.first()?, *entry.get(1)?);
            if flags & INHERIT_ONLY != 0 {
                continue;
            }
            let list = match kind {
                ALLOWED => &mut rules.allowed,
                DENIED => {
                    rules.is_ordered &= rules.allowed.is_empty();
                    &mut rules.denied
                }
                _ => {
                    rules.others.push(entry);
                    continue;
                }
            };
            let sid = sid_at(entry.get(8..)?)?;
            *list.entry(sid).or_default() |= for_files(number32(entry, 4)?);
        }
        rules.others.sort_unstable();
        Some(rules)
    }

    fn widens(&self, present: &Self) -> bool {
        let within = |inner: &BTreeMap<&[u8], u32>, outer: &BTreeMap<&[u8], u32>| {
            let mut all = inner.iter();
            all.all(|(sid, mask)| mask & !outer.get(sid).copied().unwrap_or(0) == 0)
        };
        !self.is_ordered
            || self.others != present.others
            || !within(&self.allowed, &present.allowed)
            || !within(&present.denied, &self.denied)
    }
}

fn for_files(mask: u32) -> u32 {
    let generic = GENERIC.iter().filter(|(bit, _)| mask & bit != 0);
    generic.fold(mask & 0x0fff_ffff, |mask, (_, rights)| mask | rights)
}

/// The entries of the access control list that `bytes` begin with.
fn entries(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let size = usize::from(number16(bytes, 2)?);
    let count = number16(bytes, 4)?;
    let mut rest = bytes.get(8..size)?;
    let mut found = Vec::new();
    for _ in 0..count {
        let size = usize::from(number16(rest, 2)?);
        if size < 8 {
            return None;
        }
        let (entry, behind) = rest.split_at_checked(size)?;
        found.push(entry);
        rest = behind;
    }
    Some(found)
}

/// The security identifier that `bytes` begin with.
fn sid_at(bytes: &[u8]) -> Option<&[u8]> {
    let parts = usize::from(*bytes.get(1)?);
    bytes.get(..parts.checked_mul(4)?.checked_add(8)?)
}

fn number16(bytes: &[u8], at: usize) -> Option<u16> {
    let field = bytes.get(at..)?.first_chunk::<2>()?;
    Some(u16::from_le_bytes(*field))
}

fn number32(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*field))
}

/// Whether the descriptor `wanted`, as text, grants what `present` does not.
///
/// Entries are compared as they are spelled: both texts come from the system's own call.
///
/// Spec: MS-DTYP, 2.5.1 Security Descriptor Description Language.
pub(super) fn text_widens(wanted: &str, present: &str) -> bool {
    if wanted == present {
        return false;
    }
    match (Text::parse(wanted), Text::parse(present)) {
        (Some(wanted), Some(present)) => wanted.widens(&present),
        _ => true,
    }
}

struct Text<'a> {
    /// Owner and group, with what is between them.
    before: &'a str,
    /// What stands before the entries: protected, inherited.
    flags: &'a str,
    entries: Vec<&'a str>,
    labels: Vec<&'a str>,
}

impl<'a> Text<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (before, rest) = text.split_once("D:")?;
        let (rules, system) = match rest.split_once("S:(") {
            // A SID has "S-", never "S:".
            Some((rules, _)) => (rules, rest.get(rules.len()..)?),
            None => rest.split_once("S:").unwrap_or((rest, "")),
        };
        let (flags, _) = rules.split_once('(').unwrap_or((rules, ""));
        let entries = text_entries(rules);
        let labels = text_entries(system).into_iter();
        Some(Self {
            before,
            flags,
            entries,
            labels: labels.filter(|entry| !entry.starts_with("AU;")).collect(),
        })
    }

    fn widens(&self, present: &Self) -> bool {
        let denies = |entry: &&&str| !entry.starts_with("A;");
        let same_denials = self
            .entries
            .iter()
            .filter(denies)
            .eq(present.entries.iter().filter(denies));
        let grants_more = self
            .entries
            .iter()
            .any(|entry| !present.entries.contains(entry));
        let ordered = self
            .entries
            .is_sorted_by_key(|entry| entry.starts_with("A;"));
        (self.before, self.flags) != (present.before, present.flags)
            || self.labels != present.labels
            || !same_denials
            || grants_more
            || !ordered
    }
}

fn text_entries(text: &str) -> Vec<&str> {
    let entries = text.split('(').skip(1);
    entries
        .filter_map(|entry| entry.split(')').next())
        .collect()
}

/// What `user::`, `group::` and the like have in an access control list of POSIX.
type Posix = BTreeMap<(u16, u32), u16>;

const USER: u16 = 0x02;
const GROUP_OBJECT: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
const OTHER: u16 = 0x20;
/// The number in entries that name nobody.
const NOBODY: u32 = u32::MAX;

/// Whether the access control list `wanted`, as Linux keeps it in an attribute, grants what `present`
/// does not, or where there is none, what the permission bits `mode` do not.
pub(super) fn posix_widens(wanted: &[u8], present: Option<&[u8]>, mode: u32) -> bool {
    if present == Some(wanted) {
        return false;
    }
    let present = present.map_or_else(|| Some(of_mode(mode)), effective);
    match (effective(wanted), present) {
        (Some(wanted), Some(present)) => grants_more(&wanted, &present),
        _ => true,
    }
}

fn grants_more(wanted: &Posix, present: &Posix) -> bool {
    let least = |list: &Posix| {
        let unnamed = |(tag, _): &(u16, u32)| matches!(*tag, GROUP_OBJECT | OTHER);
        let all = list.iter().filter(|(who, _)| unnamed(who));
        all.fold(0, |all, (_, rights)| all | rights)
    };
    let is_more =
        |(who, rights): (&(u16, u32), &u16)| rights & !present.get(who).copied().unwrap_or(0) != 0;
    // Who is not named any more has what everybody has.
    let is_freed = |(who, rights): (&(u16, u32), &u16)| {
        !wanted.contains_key(who) && least(wanted) & !rights != 0
    };
    wanted.iter().any(is_more) || present.iter().any(is_freed)
}

/// The list with its mask applied.
fn effective(bytes: &[u8]) -> Option<Posix> {
    if number32(bytes, 0)? != 2 || bytes.len() % 8 != 4 {
        return None;
    }
    let mut list = Posix::new();
    for entry in bytes.get(4..)?.chunks(8) {
        let (tag, rights) = (number16(entry, 0)?, number16(entry, 2)?);
        list.insert((tag, number32(entry, 4)?), rights);
    }
    if let Some(mask) = list.remove(&(MASK, NOBODY)) {
        let masked = |tag: u16| matches!(tag, USER | GROUP_OBJECT | GROUP);
        let all = list.iter_mut().filter(|((tag, _), _)| masked(*tag));
        all.for_each(|(_, rights)| *rights &= mask);
    }
    Some(list)
}

fn of_mode(mode: u32) -> Posix {
    let of = |shift: u32| u16::try_from(mode >> shift & 7).unwrap_or(0);
    let all = [(0x01, of(6)), (GROUP_OBJECT, of(3)), (OTHER, of(0))];
    all.into_iter()
        .map(|(tag, rights)| ((tag, NOBODY), rights))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYSTEM: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
    const EVERYONE: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];

    fn ace(kind: u8, flags: u8, mask: u32, sid: &[u8]) -> Vec<u8> {
        let mut ace = vec![kind, flags, 0, 0];
        ace.extend(mask.to_le_bytes());
        ace.extend(sid);
        let size = u16::try_from(ace.len()).unwrap().to_le_bytes();
        ace[2..4].copy_from_slice(&size);
        ace
    }

    fn acl(aces: &[Vec<u8>]) -> Vec<u8> {
        let body = aces.concat();
        let mut acl = vec![2, 0];
        acl.extend(u16::try_from(body.len() + 8).unwrap().to_le_bytes());
        acl.extend(u16::try_from(aces.len()).unwrap().to_le_bytes());
        acl.extend([0, 0]);
        acl.extend(body);
        acl
    }

    fn descriptor(owner: &[u8], dacl: Option<&[Vec<u8>]>, sacl: Option<&[Vec<u8>]>) -> Vec<u8> {
        let mut control = 0x8000_u16;
        let mut body = owner.to_vec();
        let mut at = |list: Option<&[Vec<u8>]>, flag: u16| match list {
            Some(list) => {
                control |= flag;
                let at = u32::try_from(20 + body.len()).unwrap();
                body.extend(acl(list));
                at
            }
            None => 0,
        };
        let (sacl, dacl) = (at(sacl, SACL_PRESENT), at(dacl, DACL_PRESENT));
        let mut bytes = vec![1, 0];
        bytes.extend(control.to_le_bytes());
        for offset in [20, 20, sacl, dacl] {
            bytes.extend(offset.to_le_bytes());
        }
        bytes.extend(body);
        bytes
    }

    #[test]
    fn a_descriptor_widens_by_what_it_grants_and_not_by_how_it_is_written() {
        let full = ace(ALLOWED, 0, 0x1f_01ff, &SYSTEM);
        let generic = ace(ALLOWED, 0, 0x1000_0000, &SYSTEM);
        let read = ace(ALLOWED, 0, 0x12_0089, &SYSTEM);
        let all_read = ace(ALLOWED, 0, 0x12_0089, &EVERYONE);
        let all_later = ace(ALLOWED, INHERIT_ONLY, 0x1f_01ff, &EVERYONE);
        let denied = ace(DENIED, 0, 2, &EVERYONE);
        let low = ace(0x11, 0, 1, &[1, 1, 0, 0, 0, 0, 0, 16, 0, 16, 0, 0]);
        let audit = ace(AUDIT, 0x40, 1, &EVERYONE);
        let of = |aces: &[Vec<u8>]| descriptor(&SYSTEM, Some(aces), None);
        let one = |ace: &Vec<u8>| of(std::slice::from_ref(ace));
        let cases = [
            (one(&full), one(&full), false),
            (one(&generic), one(&full), false),
            (one(&read), one(&full), false),
            (one(&full), one(&read), true),
            (of(&[full.clone(), all_read.clone()]), one(&full), true),
            (of(&[full.clone(), all_later]), one(&full), false),
            (of(&[]), one(&full), false),
            (descriptor(&SYSTEM, None, None), one(&full), true),
            (one(&full), descriptor(&SYSTEM, None, None), false),
            (
                descriptor(&EVERYONE, Some(std::slice::from_ref(&full)), None),
                one(&full),
                true,
            ),
            (
                one(&all_read),
                of(&[denied.clone(), all_read.clone()]),
                true,
            ),
            (
                of(&[denied.clone(), all_read.clone()]),
                one(&all_read),
                false,
            ),
            (of(&[all_read.clone(), denied]), one(&all_read), true),
            (
                descriptor(&SYSTEM, Some(std::slice::from_ref(&full)), Some(&[low])),
                one(&full),
                true,
            ),
            (
                descriptor(&SYSTEM, Some(std::slice::from_ref(&full)), Some(&[audit])),
                one(&full),
                false,
            ),
            (vec![1, 0, 4], one(&full), true),
            (Vec::new(), one(&full), true),
        ];
        for (number, (wanted, present, expected)) in cases.into_iter().enumerate() {
            let widens = descriptor_widens(&wanted, &present);
            assert_eq!(widens, expected, "case {number}");
        }
        // Cut anywhere, or with any byte changed, it is read without a panic.
        let whole = of(&[full, all_read]);
        for at in 0..whole.len() {
            descriptor_widens(&whole[..at], &whole);
            let mut other = whole.clone();
            other[at] ^= 0xff;
            descriptor_widens(&other, &whole);
        }
    }

    #[test]
    fn a_text_widens_by_its_entries() {
        let present = "O:BAG:SYD:AI(D;;FX;;;WD)(A;ID;FA;;;SY)(A;ID;FA;;;BA)";
        let cases = [
            (
                "O:BAG:SYD:AI(D;;FX;;;WD)(A;ID;FA;;;SY)(A;ID;FA;;;BA)",
                false,
            ),
            ("O:BAG:SYD:AI(D;;FX;;;WD)(A;ID;FA;;;SY)", false),
            ("O:BAG:SYD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)", true),
            ("O:BAG:SYD:AI(D;;FX;;;WD)(A;ID;FA;;;WD)", true),
            ("O:WDG:SYD:AI(D;;FX;;;WD)(A;ID;FA;;;SY)", true),
            ("O:BAG:SYD:PAI(D;;FX;;;WD)(A;ID;FA;;;SY)", true),
            ("O:BAG:SYD:NO_ACCESS_CONTROL", true),
            (
                "O:BAG:SYD:AI(D;;FX;;;WD)(A;ID;FA;;;SY)S:(ML;;NW;;;LW)",
                true,
            ),
            ("O:BAG:SY", true),
            ("", true),
        ];
        for (wanted, expected) in cases {
            assert_eq!(text_widens(wanted, present), expected, "{wanted}");
        }
    }

    #[test]
    fn a_posix_list_widens_by_what_it_grants() {
        let list = |entries: &[(u16, u16, u32)]| {
            let mut bytes = 2_u32.to_le_bytes().to_vec();
            for (tag, rights, id) in entries {
                bytes.extend(tag.to_le_bytes());
                bytes.extend(rights.to_le_bytes());
                bytes.extend(id.to_le_bytes());
            }
            bytes
        };
        let plain = [(1, 6, NOBODY), (4, 4, NOBODY), (0x20, 0, NOBODY)];
        let with = |more: &[(u16, u16, u32)]| list(&[&plain[..], more].concat());
        let none = with(&[]);
        assert!(!posix_widens(&none, None, 0o640));
        assert!(posix_widens(&none, None, 0o600));
        let user = with(&[(USER, 6, 1000), (MASK, 7, NOBODY)]);
        let masked = with(&[(USER, 6, 1000), (MASK, 0, NOBODY)]);
        assert!(posix_widens(&user, None, 0o640));
        assert!(!posix_widens(&masked, None, 0o640));
        assert!(!posix_widens(&masked, Some(&user), 0o640));
        assert!(posix_widens(&user, Some(&masked), 0o640));
        // A user who may less than the group is freed when the entry goes.
        let barred = with(&[(USER, 0, 1000), (MASK, 7, NOBODY)]);
        assert!(posix_widens(&none, Some(&barred), 0o640));
        assert!(posix_widens(&[1, 2, 3], Some(&none), 0o640));
    }
}

#[cfg(test)]
mod edges;
