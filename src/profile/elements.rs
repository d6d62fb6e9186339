// SPDX-License-Identifier: GPL-3.0-or-later
//! One element of a REG_MULTI_SZ: the others keep their bytes.

use std::collections::HashSet;

use super::key_path::upcase_unit;
use super::want::Verdict;
use super::{kind_name, upcase};

const REG_MULTI_SZ: u32 = 7;

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

/// Takes out the elements that do not stay. `stays` is asked with upper case.
///
/// The list ends where Windows sees its end, at the first empty element; what is stored behind it
/// is left alone.
fn edit(found: Option<(u32, &[u8])>, stays: impl Fn(&[u16]) -> bool) -> Verdict {
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

/// The type's name, or its number where it has none.
pub(super) fn kind_text(kind: u32) -> String {
    kind_name(kind).map_or_else(|| format!("{kind:#x}"), str::to_owned)
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
