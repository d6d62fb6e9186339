// SPDX-License-Identifier: GPL-3.0-or-later
//! What was done and what is lost, by paths.

use std::ops::Range;

use super::notes::{Fix, LostKind};
use super::page_moves::PageMove;
use super::saved::Saved;
use crate::regf::{BASE_BLOCK_SIZE, Hive, Name};
use crate::text::Foreign;

/// What was done and what is lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MendReport {
    /// Whether only what is wrong was overwritten; else a fresh hive was made.
    pub is_in_place: bool,
    /// Where the chain of cells is broken, in bytes of the file.
    pub broken: Vec<Range<u64>>,
    /// Pages that stood in the wrong place.
    pub moves: Vec<PageMove>,
    /// What was worked out again.
    pub repairs: Vec<Repair>,
    /// What is lost.
    pub losses: Vec<Loss>,
    /// Values whose data touches destroyed bytes, and is kept as it was found.
    pub suspects: Vec<(Foreign, Foreign)>,
    /// What came from donors.
    pub filled: Vec<Filled>,
    /// Keys that live and whose place is lost: they are in a hive of their own.
    pub orphans: u64,
    /// Keys in the result.
    pub keys: u64,
    /// Values in the result.
    pub values: u64,
}

/// Something that was worked out again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The key concerned.
    pub key: Foreign,
    /// What.
    pub what: Fix,
    /// How often.
    pub count: u64,
}

/// Something that is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The key in which, or below which.
    pub key: Foreign,
    /// What.
    pub what: LostKind,
    /// Its name, where it is known.
    pub name: Option<Foreign>,
    /// How many, where that is known.
    pub count: Option<u64>,
}

/// Something that a donor gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// The key.
    pub key: Foreign,
    /// The value, or the key itself.
    pub value: Option<Foreign>,
    /// Whether it is proven to be what was lost; else it is as it was when the donor was written.
    pub is_proven: bool,
}

impl MendReport {
    /// Whether nothing is lost.
    pub fn is_lossless(&self) -> bool {
        self.losses.is_empty() && self.orphans == 0 && self.filled.is_empty()
    }

    /// How many of a kind are lost, as far as it is known, and whether there are more.
    pub fn lost(&self, what: LostKind) -> (u64, bool) {
        let losses = self.losses.iter().filter(|loss| loss.what == what);
        losses.fold((0, false), |(sum, more), loss| {
            let count = loss.count.unwrap_or(0);
            (sum.saturating_add(count), more || loss.count.is_none())
        })
    }
}

pub(super) fn report(saved: &Saved, suspects: Vec<(usize, Name)>) -> MendReport {
    let (keys, values) = saved.tree.counts();
    let path = |key: usize| Foreign::from(saved.tree.path_text(key));
    let text = |name: &Name| Foreign::from(name.to_text());
    let offset = |at: usize| {
        let at = u64::try_from(at).unwrap_or(u64::MAX);
        at.saturating_add(BASE_BLOCK_SIZE)
    };
    let broken = saved.bins.parts.iter().filter_map(|part| {
        let at = part.broken_at?;
        Some(offset(at)..offset(part.end))
    });
    let repairs = saved.notes.fixes.iter().map(|((key, what), count)| Repair {
        key: path(*key),
        what: *what,
        count: *count,
    });
    let losses = saved.notes.lost.iter().map(|lost| Loss {
        key: path(lost.key),
        what: lost.what,
        name: lost.name.as_ref().map(text),
        count: lost.count,
    });
    let filled = saved
        .notes
        .filled
        .iter()
        .map(|(key, value, is_proven)| Filled {
            key: path(*key),
            value: value.as_ref().map(text),
            is_proven: *is_proven,
        });
    let suspects = suspects
        .into_iter()
        .map(|(key, value)| (path(key), text(&value)));
    MendReport {
        is_in_place: false,
        broken: broken.collect(),
        moves: saved.moves.clone(),
        repairs: repairs.collect(),
        losses: losses.collect(),
        suspects: suspects.collect(),
        filled: filled.collect(),
        orphans: saved.orphans.as_ref().map_or(0, |orphans| orphans.keys),
        keys,
        values,
    }
}

/// What a hive must have for Windows to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Essential {
    /// SYSTEM: which control set is the current one.
    Select,
    /// SYSTEM: the current control set.
    ControlSet,
    /// SYSTEM: its services.
    Services,
    /// SYSTEM: its `Control` key.
    Control,
    /// SOFTWARE: `Microsoft\Windows NT\CurrentVersion`.
    CurrentVersion,
}

/// What the mended hive lacks that Windows cannot start without; `file_name` tells which hive it is.
pub fn essential_lost(image: &Vec<u8>, file_name: &str) -> Vec<Essential> {
    let Ok(hive) = Hive::open(image) else {
        return Vec::new();
    };
    let has = |path: &[&str]| {
        let names: Vec<Name> = path.iter().map(|name| Name::from(*name)).collect();
        hive.find(&names).ok().flatten().is_some()
    };
    if file_name.eq_ignore_ascii_case("SOFTWARE") {
        let there = has(&["Microsoft", "Windows NT", "CurrentVersion"]);
        return if there {
            Vec::new()
        } else {
            vec![Essential::CurrentVersion]
        };
    }
    if !file_name.eq_ignore_ascii_case("SYSTEM") {
        return Vec::new();
    }
    let current = current_control_set(&hive);
    let mut lost = Vec::new();
    let Some(current) = current else {
        return vec![Essential::Select];
    };
    let set = format!("ControlSet{current:03}");
    let wanted = [
        (Essential::ControlSet, vec![set.as_str()]),
        (Essential::Services, vec![set.as_str(), "Services"]),
        (Essential::Control, vec![set.as_str(), "Control"]),
    ];
    for (essential, path) in wanted {
        if !has(&path) {
            lost.push(essential);
        }
    }
    lost
}

fn current_control_set(hive: &Hive<'_>) -> Option<u32> {
    let select = hive.find(&[Name::from("Select")]).ok()??;
    let value = hive.find_value(&select, &Name::from("Current")).ok()??;
    let data = hive.data(&value).ok()?;
    crate::regf::u32_at(&data, 0)
}
