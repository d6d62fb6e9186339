// SPDX-License-Identifier: GPL-3.0-or-later
//! Names that do not fit what their parent's list says of them.

use super::nodes::Listed;
use crate::regf::{ListKind, Name, StoredName};

/// Whether every character can be in a key's name that somebody gave.
pub(super) fn is_text(name: StoredName<'_>) -> bool {
    let mut units = name.units().peekable();
    units.peek().is_some()
        && units
            .all(|unit| unit >= 0x20 && unit != u16::from(b'\\') && unit != 0x7F && unit != 0xFFFF)
}

/// The name with one bit turned that fits the list, where it must be that one: the list's hash may be
/// what is wrong instead.
pub(super) fn corrected(
    name: StoredName<'_>,
    listed: Listed,
    between: &(Option<Name>, Option<Name>),
    known: &dyn Fn(u32) -> usize,
) -> Option<Name> {
    let own = name.to_name();
    let candidates: Vec<Name> = turned_names(name)
        .filter(|turned| {
            let (bytes, narrow) = turned.to_stored();
            let stored = StoredName {
                bytes: &bytes,
                narrow,
            };
            is_text(stored) && is_exact(listed, stored)
        })
        .collect();
    let in_order: Vec<&Name> = candidates
        .iter()
        .filter(|name| is_between(name, between))
        .collect();
    if !is_between(&own, between) || !is_text(name) {
        return match in_order.as_slice() {
            [only] => Some((*only).clone()),
            _ => None,
        };
    }
    if listed.kind != ListKind::HashLeaf {
        return None;
    }
    let is_hash_turned = listed
        .hash()
        .is_some_and(|hash| (hash ^ own.hash()).is_power_of_two());
    match in_order.as_slice() {
        [only] if !is_hash_turned => Some((*only).clone()),
        // Name or hash: other keys of this hive have the one name and none has the other.
        [only] if known(only.hash()) > 0 && known(own.hash()) <= 1 => Some((*only).clone()),
        _ => None,
    }
}

fn is_exact(listed: Listed, name: StoredName<'_>) -> bool {
    match listed.kind {
        ListKind::HashLeaf => listed.fits(name),
        ListKind::FastLeaf => listed.extra == name.hint(),
        _ => false,
    }
}

fn turned_names(name: StoredName<'_>) -> impl Iterator<Item = Name> + '_ {
    let bits = name.bytes.len().saturating_mul(8);
    (0..bits).map(move |bit| {
        let mut bytes = name.bytes.to_vec();
        if let Some(byte) = bytes.get_mut(bit / 8) {
            *byte ^= 1_u8 << (bit % 8);
        }
        let turned = StoredName {
            bytes: &bytes,
            narrow: name.narrow,
        };
        turned.to_name()
    })
}

/// Whether the name stands between its neighbours in a list.
pub(super) fn is_between(name: &Name, (before, behind): &(Option<Name>, Option<Name>)) -> bool {
    before
        .as_ref()
        .is_none_or(|before| before.order(name).is_lt())
        && behind
            .as_ref()
            .is_none_or(|behind| name.order(behind).is_lt())
}
