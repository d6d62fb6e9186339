// SPDX-License-Identifier: GPL-3.0-or-later
//! The security descriptor of a new key, computed from its parent's as Windows does it.
//!
//! Reference: MS-DTYP 2.5.3.4 (the algorithm for creating a security descriptor). It leaves order,
//! doubled entries and old versions open; what is done there was learnt from real hives. Pure.

use crate::regf::{
    Ace, AceContent, Acl, DescriptorFlaw, SecurityDescriptor, Sid, ace_flags, ace_type,
    descriptor_control, key_access,
};

/// Who makes the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creator {
    /// The new key's owner, who also takes the place of CREATOR OWNER.
    pub owner: Sid,
    /// The new key's group, which also takes the place of CREATOR GROUP.
    pub group: Sid,
}

impl Creator {
    /// Administrators, as when one of them uses regedit. The group is LocalSystem's: so it is where
    /// Windows itself makes a key, the group of a person is the SID of a machine that the hive does
    /// not name, and no right comes from a key's group.
    pub fn administrators() -> Self {
        Self {
            owner: Sid::administrators(),
            group: Sid::local_system(),
        }
    }
}

/// How a list is inherited: it depends on Windows' version and on what the parent says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListRule {
    /// Windows NT 4: an entry for subkeys always becomes two, an effective one and one for their
    /// subkeys.
    Split,
    /// Since Windows 2000, where the parent's list is not marked as automatically inherited: only
    /// what differs as effective becomes two entries.
    Plain,
    /// Since Windows 2000, where it is: the new entries are marked as inherited, and what an earlier
    /// one gives already is left out.
    Automatic,
}

/// Which of a descriptor's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AclKind {
    /// Who may do what.
    Discretionary,
    /// What is audited, and the mandatory label.
    System,
}

/// The descriptor of a key that `creator` makes below one with the descriptor `parent`.
///
/// `nt4` says that the hive is one of Windows NT 4, which knows no automatic inheritance.
///
/// # Errors
///
/// [`DescriptorFlaw::AclTooLarge`] where a list would not fit into its size field.
pub fn inherit(
    parent: &SecurityDescriptor,
    creator: &Creator,
    nt4: bool,
) -> Result<SecurityDescriptor, DescriptorFlaw> {
    use descriptor_control as control;
    let rule = |flag| match nt4 {
        true => ListRule::Split,
        false if parent.has(flag) => ListRule::Automatic,
        false => ListRule::Plain,
    };
    let list = |acl: &Option<Acl>, kind, flag| {
        let acl = acl.as_ref()?;
        let list = inherit_list(acl, kind, rule(flag), creator);
        (!list.aces.is_empty()).then_some(list)
    };
    let dacl = list(
        &parent.dacl,
        AclKind::Discretionary,
        control::DACL_AUTO_INHERITED,
    );
    let sacl = list(&parent.sacl, AclKind::System, control::SACL_AUTO_INHERITED);
    let mut bits = control::SELF_RELATIVE | control::DACL_PRESENT;
    if sacl.is_some() {
        bits |= control::SACL_PRESENT;
    }
    let marks = control::DACL_AUTO_INHERITED | control::SACL_AUTO_INHERITED;
    if !nt4 {
        bits |= parent.control & marks;
    }
    Ok(SecurityDescriptor {
        control: bits,
        owner: Some(creator.owner.clone()),
        group: Some(creator.group.clone()),
        sacl,
        dacl: Some(dacl.unwrap_or_else(|| default_list(creator))),
    })
}

/// What the token of an administrator gives where nothing is inherited: no list at all would give
/// everything to everyone.
fn default_list(creator: &Creator) -> Acl {
    let all = key_access::KEY_ALL_ACCESS;
    let owner = Ace::allowed(0, all, creator.owner.clone());
    Acl::new(vec![owner, Ace::allowed(0, all, Sid::local_system())])
}

/// The part of a list that a new subkey inherits; empty where there is nothing for it.
pub fn inherit_list(parent: &Acl, kind: AclKind, rule: ListRule, creator: &Creator) -> Acl {
    let mut heir = Heir {
        kind,
        rule,
        creator,
        aces: Vec::new(),
    };
    let mut before = None;
    for ace in &parent.aces {
        heir.inherit(ace, before);
        before = Some(ace);
    }
    Acl {
        revision: parent.revision,
        aces: heir.aces,
    }
}

struct Heir<'a> {
    kind: AclKind,
    rule: ListRule,
    creator: &'a Creator,
    aces: Vec<Ace>,
}

impl Heir<'_> {
    /// Adds what comes of an entry: what counts for the new key, then what its subkeys inherit; one
    /// entry where both are the same. `before` is the entry in front of it.
    fn inherit(&mut self, ace: &Ace, before: Option<&Ace>) {
        let for_keys = ace.has(ace_flags::CONTAINER_INHERIT);
        let effective = (for_keys && !ace.content.is_for_an_object_type())
            .then(|| self.effective(ace, before))
            .filter(|content| !self.is_covered(ace, content, 0));
        let further = match ace.has(ace_flags::NO_PROPAGATE_INHERIT) {
            true => 0,
            false => ace.flags & (ace_flags::CONTAINER_INHERIT | ace_flags::OBJECT_INHERIT),
        };
        let further =
            Some(further).filter(|&flags| flags != 0 && !self.is_covered(ace, &ace.content, flags));
        match (effective, further) {
            (Some(content), Some(flags))
                if content == ace.content && self.rule != ListRule::Split =>
            {
                self.add(ace, flags | self.mark(ace), content);
            }
            (effective, further) => {
                if let Some(content) = effective {
                    let automatic = self.rule == ListRule::Automatic;
                    let mark = if automatic { ace_flags::INHERITED } else { 0 };
                    self.add(ace, mark, content);
                }
                if let Some(flags) = further {
                    let flags = flags | ace_flags::INHERIT_ONLY | self.mark(ace);
                    self.add(ace, flags, ace.content.clone());
                }
            }
        }
    }

    /// The mark of what goes on: where lists are not marked, one that is there stays.
    fn mark(&self, ace: &Ace) -> u8 {
        match self.rule {
            ListRule::Automatic => ace_flags::INHERITED,
            ListRule::Split | ListRule::Plain => ace.flags & ace_flags::INHERITED,
        }
    }

    fn add(&mut self, ace: &Ace, inheritance: u8, content: AceContent) {
        self.aces.push(Ace {
            ace_type: ace.ace_type,
            flags: ace.flags & !ace_flags::INHERITANCE | inheritance,
            content,
        });
    }

    /// An entry as it counts for the key itself: generic rights are those of a key, and whoever makes
    /// the key takes the place of the placeholders.
    ///
    /// Reference: MS-DTYP 2.5.3.4.7 (PostProcessACL).
    fn effective(&self, ace: &Ace, before: Option<&Ace>) -> AceContent {
        let mut content = ace.content.clone();
        if let AceContent::Access { mask, sid, .. } = &mut content {
            if *sid == Sid::creator_owner() {
                *sid = self.creator.owner.clone();
            } else if *sid == Sid::creator_group() {
                *sid = self.creator.group.clone();
            }
            if ace.ace_type < ace_type::SYSTEM_MANDATORY_LABEL {
                let before = before.filter(|before| {
                    before.ace_type == ace.ace_type && !before.has(ace_flags::INHERIT_ONLY)
                });
                *mask = self.rights_of_a_key(ace.ace_type, *mask, sid, before);
            }
        }
        content
    }

    /// Windows 7 counts the right to make a link to GENERIC_EXECUTE, XP and 10 do not. The parent's
    /// list tells which it was: `before`, the effective entry in front of this one, is then what came
    /// of the same rights. Where it tells nothing, what gives less to anyone is taken.
    fn rights_of_a_key(&self, kind: u8, mask: u32, sid: &Sid, before: Option<&Ace>) -> u32 {
        let possible = match self.kind {
            AclKind::Discretionary => key_access::KEY_ALL_ACCESS,
            AclKind::System => key_access::KEY_ALL_ACCESS | key_access::ACCESS_SYSTEM_SECURITY,
        };
        let plain = specific(mask) & possible;
        if mask & key_access::GENERIC_EXECUTE == 0 {
            return plain;
        }
        let linking = plain | key_access::KEY_CREATE_LINK;
        let (usual, other) = match denies(kind) {
            true => (linking, plain),
            false => (plain, linking),
        };
        match before.map(|before| &before.content) {
            Some(AceContent::Access {
                mask, sid: whose, ..
            }) if *mask == other && whose == sid => other,
            _ => usual,
        }
    }

    /// Whether an earlier entry gives all of this one already: to the key itself with `flags` of 0, to
    /// its subkeys with those.
    fn is_covered(&self, ace: &Ace, content: &AceContent, flags: u8) -> bool {
        if self.rule != ListRule::Automatic {
            return false;
        }
        let others = !ace_flags::INHERITANCE;
        self.aces.iter().any(|earlier| {
            let counts = match flags {
                0 => !earlier.has(ace_flags::INHERIT_ONLY),
                flags => earlier.has(flags),
            };
            counts
                && earlier.ace_type == ace.ace_type
                && earlier.flags & others == ace.flags & others
                && includes(&earlier.content, content)
        })
    }
}

/// A mask with the generic rights replaced by those of a key.
fn specific(mask: u32) -> u32 {
    let generic = [
        (key_access::GENERIC_READ, key_access::KEY_READ),
        (key_access::GENERIC_WRITE, key_access::KEY_WRITE),
        (key_access::GENERIC_EXECUTE, key_access::KEY_EXECUTE),
        (key_access::GENERIC_ALL, key_access::KEY_ALL_ACCESS),
    ];
    let mut rights = mask;
    for (generic, specific) in generic {
        if mask & generic != 0 {
            rights = rights & !generic | specific;
        }
    }
    rights
}

fn denies(kind: u8) -> bool {
    matches!(
        kind,
        ace_type::ACCESS_DENIED
            | ace_type::ACCESS_DENIED_OBJECT
            | ace_type::ACCESS_DENIED_CALLBACK
            | ace_type::ACCESS_DENIED_CALLBACK_OBJECT
    )
}

/// Whether `one` is for the same as `other`, and has all rights of it.
fn includes(one: &AceContent, other: &AceContent) -> bool {
    let (
        AceContent::Access {
            mask: rights,
            object: one_object,
            sid: one_sid,
            data: one_data,
        },
        AceContent::Access {
            mask,
            object,
            sid,
            data,
        },
    ) = (one, other)
    else {
        return one == other;
    };
    rights & mask == *mask && one_sid == sid && one_object == object && one_data == data
}
