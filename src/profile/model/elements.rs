// SPDX-License-Identifier: GPL-3.0-or-later
//! One element of a REG_MULTI_SZ: the others keep their bytes.

use std::collections::HashSet;

use super::data::{REG_EXPAND_SZ, REG_MULTI_SZ, REG_SZ, kind_text};
use super::upcase::{upcase, upcase_unit};
use super::verdict::Verdict;

/// What is wanted of the elements of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The named ones are not there.
    Remove,
    /// No others are there.
    Keep,
    /// All of them are there.
    Add,
}

/// What is to be done so that none of `names` is in the list.
pub(super) fn remove(found: Option<(u32, &[u8])>, names: &[String]) -> Verdict {
    let names: HashSet<Vec<u16>> = names.iter().map(|name| upcase(name)).collect();
    edit(found, |element| !names.contains(element))
}

/// What is to be done so that nothing but `names` is in the list.
pub(super) fn keep(found: Option<(u32, &[u8])>, names: &[String]) -> Verdict {
    let names: HashSet<Vec<u16>> = names.iter().map(|name| upcase(name)).collect();
    edit(found, |element| names.contains(element))
}

/// What is to be done so that all of `names` are in the list.
pub(super) fn add(found: Option<(u32, &[u8])>, names: &[String]) -> Verdict {
    let mut missing: Vec<&String> = names.iter().collect();
    let seen = |element: &[u16]| {
        missing.retain(|name| upcase(name) != element);
        true
    };
    let verdict = edit(found, seen);
    let (Verdict::Met, false, Some((kind, bytes))) = (&verdict, missing.is_empty(), found) else {
        return verdict;
    };
    let (pairs, _) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    let end = end_of_list(&units);
    let (list, rest) = units.split_at_checked(end).unwrap_or((&units, &[]));
    let mut all = list.to_vec();
    if all.last().is_some_and(|&unit| unit != 0) {
        all.push(0);
    }
    for name in missing {
        all.extend(name.encode_utf16().chain([0]));
    }
    // A list that has no end of its own gets one.
    all.extend(if rest.is_empty() { &[0] } else { rest });
    Verdict::Write {
        kind,
        data: all.into_iter().flat_map(u16::to_le_bytes).collect(),
    }
}

/// Where the list ends: behind its last element, in front of the empty one.
fn end_of_list(units: &[u16]) -> usize {
    let mut end = 0_usize;
    while let Some(behind) = units.get(end..).filter(|behind| !behind.is_empty()) {
        match behind.iter().position(|&unit| unit == 0) {
            Some(0) => break,
            Some(length) => end = end.saturating_add(length).saturating_add(1),
            None => return units.len(),
        }
    }
    end
}

/// What is to be done with a text that is a list, its elements apart by `separator`. Blanks around an
/// element do not count. Where no element stays the text is empty.
pub(super) fn text(
    found: Option<(u32, &[u8])>,
    separator: char,
    part: Part,
    names: &[String],
) -> Verdict {
    let Some((kind, bytes)) = found else {
        return Verdict::Missing;
    };
    let (pairs, rest) = bytes.as_chunks::<2>();
    let is_text = kind == REG_SZ || kind == REG_EXPAND_SZ;
    if !is_text || !rest.is_empty() {
        let what = match is_text {
            true => "half a character at its end".to_owned(),
            false => format!("the type {}", kind_text(kind)),
        };
        return Verdict::Blocked(format!(
            "a REG_SZ or REG_EXPAND_SZ was expected, and it has {what}"
        ));
    }
    let mut between = [0_u16; 2];
    let between = &*separator.encode_utf16(&mut between);
    let [between] = *between else {
        return Verdict::Blocked("the separator is no single character of the registry".to_owned());
    };
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    let end = units.iter().position(|&unit| unit == 0);
    let (list, tail) = units
        .split_at_checked(end.unwrap_or(units.len()))
        .unwrap_or((&units, &[]));
    let folded: Vec<Vec<u16>> = names.iter().map(|name| upcase(name)).collect();
    let elements = list.split(|&unit| unit == between);
    let is_named = |element: &[u16]| folded.contains(&trimmed(element));
    let mut new: Vec<u16> = match part {
        Part::Add => list.to_vec(),
        Part::Remove | Part::Keep => {
            let stays = |element: &&[u16]| {
                trimmed(element).is_empty() || is_named(element) == (part == Part::Keep)
            };
            elements
                .clone()
                .filter(stays)
                .collect::<Vec<&[u16]>>()
                .join(&between)
        }
    };
    if part == Part::Add {
        let here: Vec<Vec<u16>> = elements.map(trimmed).collect();
        let missing = names.iter().filter(|name| !here.contains(&upcase(name)));
        for name in missing {
            if new.last().is_some_and(|&unit| unit != between) {
                new.push(between);
            }
            new.extend(name.encode_utf16());
        }
    }
    if new == list {
        return Verdict::Met;
    }
    new.extend(tail);
    Verdict::Write {
        kind,
        data: new.into_iter().flat_map(u16::to_le_bytes).collect(),
    }
}

/// An element without the blanks around it, in upper case.
fn trimmed(element: &[u16]) -> Vec<u16> {
    const BLANK: u16 = 0x20;
    let start = element.iter().position(|&unit| unit != BLANK);
    let end = element.iter().rposition(|&unit| unit != BLANK);
    let (Some(start), Some(end)) = (start, end) else {
        return Vec::new();
    };
    let kept = element.get(start..=end).unwrap_or(element);
    kept.iter().copied().map(upcase_unit).collect()
}

/// Takes out the elements that do not stay. `stays` is asked with upper case.
///
/// The list ends where Windows sees its end, at the first empty element; what is stored behind it
/// is left alone.
fn edit(found: Option<(u32, &[u8])>, mut stays: impl FnMut(&[u16]) -> bool) -> Verdict {
    let Some((kind, bytes)) = found else {
        return Verdict::Missing;
    };
    let (pairs, rest) = bytes.as_chunks::<2>();
    if kind != REG_MULTI_SZ || !rest.is_empty() {
        let what = match kind == REG_MULTI_SZ {
            true => "half a character at its end".to_owned(),
            false => format!("the type {}", kind_text(kind)),
        };
        return Verdict::Blocked(format!("a REG_MULTI_SZ was expected, and it has {what}"));
    }
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    let mut kept: Vec<u16> = Vec::with_capacity(units.len());
    let (mut removed, mut left) = (0_usize, 0_usize);
    let mut behind = units.as_slice();
    loop {
        let end = behind.iter().position(|&unit| unit == 0);
        let length = end.unwrap_or(behind.len());
        let with_end = end.map_or(length, |end| end.saturating_add(1));
        let Some((element, rest)) = behind.split_at_checked(with_end).filter(|_| length > 0) else {
            break;
        };
        let folded = element.iter().take(length).copied().map(upcase_unit);
        if stays(&folded.collect::<Vec<u16>>()) {
            left = left.saturating_add(1);
            kept.extend(element);
        } else {
            removed = removed.saturating_add(1);
        }
        behind = rest;
    }
    match (removed, left) {
        (0, _) => Verdict::Met,
        (_, 0) => Verdict::Delete,
        _ => {
            kept.extend(behind);
            Verdict::Write {
                kind,
                data: kept.into_iter().flat_map(u16::to_le_bytes).collect(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn removed(from: &str, names: &[&str]) -> Verdict {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        remove(Some((REG_MULTI_SZ, &utf16(from))), &names)
    }

    fn written(text: &str) -> Verdict {
        Verdict::Write {
            kind: REG_MULTI_SZ,
            data: utf16(text),
        }
    }

    #[test]
    fn the_other_elements_keep_their_bytes() {
        assert_eq!(
            removed("partmgr\0EvilFilter\0ä\0\0", &["evilfilter", "Ä"]),
            written("partmgr\0\0")
        );
        assert_eq!(removed("a\0b\0a\0\0", &["A"]), written("b\0\0"));
        assert_eq!(removed("a\0b", &["b"]), written("a\0"));
        assert_eq!(removed("a\0b\0", &["a"]), written("b\0"));
        // Behind the end of the list, where Windows does not look.
        assert_eq!(removed("a\0b\0\0a\0\0", &["a"]), written("b\0\0a\0\0"));
    }

    #[test]
    fn nothing_to_take_out_is_no_drift_and_nothing_left_is_no_value() {
        assert_eq!(removed("a\0\0", &["b"]), Verdict::Met);
        assert_eq!(removed("", &["b"]), Verdict::Met);
        assert_eq!(removed("\0", &["b"]), Verdict::Met);
        assert_eq!(removed("b\0\0", &["b"]), Verdict::Delete);
        assert_eq!(remove(None, &[]), Verdict::Missing);
    }

    #[test]
    fn only_named_elements_stay() {
        let found = utf16("partmgr\0Foo\0VOLSNAP\0\0");
        let names = ["PartMgr".to_owned(), "volsnap".to_owned()];
        let kept = keep(Some((REG_MULTI_SZ, &found)), &names);
        assert_eq!(kept, written("partmgr\0VOLSNAP\0\0"));
    }

    fn added(to: &str, names: &[&str]) -> Verdict {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        add(Some((REG_MULTI_SZ, &utf16(to))), &names)
    }

    #[test]
    fn what_is_not_there_is_put_behind_the_others() {
        assert_eq!(added("a\0b\0\0", &["B", "A"]), Verdict::Met);
        assert_eq!(added("a\0\0", &["A", "c"]), written("a\0c\0\0"));
        assert_eq!(added("", &["c"]), written("c\0\0"));
        assert_eq!(added("\0", &["c"]), written("c\0\0"));
        assert_eq!(added("a", &["c"]), written("a\0c\0\0"));
        assert_eq!(added("a\0", &["c"]), written("a\0c\0\0"));
        // Behind the end of the list, where Windows does not look.
        assert_eq!(added("a\0\0c\0\0", &["c"]), written("a\0c\0\0c\0\0"));
        assert_eq!(add(None, &["c".to_owned()]), Verdict::Missing);
    }

    fn texts(from: &str, part: Part, names: &[&str]) -> Verdict {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        text(Some((1, &utf16(from))), ',', part, &names)
    }

    fn text_written(text: &str) -> Verdict {
        Verdict::Write {
            kind: 1,
            data: utf16(text),
        }
    }

    #[test]
    fn a_text_is_a_list_too() {
        let order = "RDPNP, LanmanWorkstation,vmhgfs\0";
        assert_eq!(
            texts(order, Part::Remove, &["VMHGFS"]),
            text_written("RDPNP, LanmanWorkstation\0")
        );
        assert_eq!(texts(order, Part::Remove, &["x"]), Verdict::Met);
        assert_eq!(
            texts(order, Part::Keep, &["rdpnp"]),
            text_written("RDPNP\0")
        );
        assert_eq!(
            texts(order, Part::Add, &["lanmanworkstation"]),
            Verdict::Met
        );
        assert_eq!(
            texts("a\0", Part::Add, &["b", "c"]),
            text_written("a,b,c\0")
        );
        assert_eq!(texts("a,\0", Part::Add, &["b"]), text_written("a,b\0"));
        assert_eq!(texts("\0", Part::Add, &["b"]), text_written("b\0"));
        assert_eq!(texts("a\0", Part::Remove, &["a"]), text_written("\0"));
        let other = text(Some((4, &[0, 0, 0, 0])), ',', Part::Add, &["b".to_owned()]);
        assert!(matches!(other, Verdict::Blocked(_)));
    }

    #[test]
    fn another_type_is_not_guessed_at() {
        for (kind, data) in [(1, utf16("a\0")), (7, vec![0x61]), (3, vec![])] {
            assert!(matches!(
                remove(Some((kind, &data)), &[]),
                Verdict::Blocked(_)
            ));
        }
    }
}
