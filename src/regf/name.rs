// SPDX-License-Identifier: GPL-3.0-or-later
//! Names of keys and values: how they are stored, compared, hashed and shown.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{BuildHasher, DefaultHasher, Hasher, RandomState};
use std::sync::LazyLock;

use super::upcase::{upcase, upcase_narrow};
use crate::text::{escape, push_escaped, quoted};

/// A key or value name as UTF-16 code units, in the spelling it was given.
///
/// Equality is exact; use [`Name::same_as`] and [`Name::order`] for what the registry calls equal.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Name(Vec<u16>);

impl Name {
    /// The name made of these UTF-16 code units.
    pub fn from_units(units: Vec<u16>) -> Self {
        Self(units)
    }

    /// The code units.
    pub fn units(&self) -> &[u16] {
        &self.0
    }

    /// Whether this is the name of a key's default value.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name as text, exactly but for U+FFFD in place of what is no UTF-16: to compare it or to store
    /// it. To show it, it is printed.
    pub fn to_text(&self) -> String {
        String::from_utf16_lossy(&self.0)
    }

    /// Bytes of the name as UTF-16, which is how the "largest name" fields count it.
    pub fn utf16_size(&self) -> usize {
        self.0.len().saturating_mul(2)
    }

    /// The stored form: one byte a unit and `true` where every unit is below 256, else UTF-16LE.
    ///
    /// Spec: regf, *Key node > Flags* (KEY_COMP_NAME).
    pub fn to_stored(&self) -> (Vec<u8>, bool) {
        let narrow: Result<Vec<u8>, _> = self.0.iter().map(|&unit| u8::try_from(unit)).collect();
        match narrow {
            Ok(bytes) => (bytes, true),
            Err(_) => (
                self.0.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
                false,
            ),
        }
    }

    /// Whether the registry takes both for one name.
    pub fn same_as(&self, other: &Self) -> bool {
        self.order(other) == Ordering::Equal
    }

    /// The registry's order: upper-cased code units, a shorter prefix first.
    pub fn order(&self, other: &Self) -> Ordering {
        let ours = self.0.iter().map(|&unit| upcase(unit));
        ours.cmp(other.0.iter().map(|&unit| upcase(unit)))
    }

    /// The upper-cased code units: equal for what the registry takes for one name.
    pub fn folded(&self) -> Vec<u16> {
        self.0.iter().map(|&unit| upcase(unit)).collect()
    }

    /// A number that is equal for what the registry takes for one name; see [`Folding`].
    pub(super) fn folded_hash(&self) -> u64 {
        Folding::of(self.0.iter().copied())
    }

    /// The hash that a hash leaf holds for this name.
    ///
    /// Spec: regf, *Hash leaf*, note.
    pub fn hash(&self) -> u32 {
        hash_units(self.0.iter().copied())
    }

    /// The hint that a fast leaf holds for this name: its first four characters.
    ///
    /// Spec: regf, *Fast leaf*.
    pub fn hint(&self) -> [u8; 4] {
        hint_units(self.0.iter().copied())
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        // The iterator promises a third of that, and a list that grows is copied twice.
        let mut units = Vec::with_capacity(text.len());
        units.extend(text.encode_utf16());
        Self(units)
    }
}

impl fmt::Display for Name {
    /// Escaped: a name may hold anything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.iter().any(|unit| (0xD800..=0xDFFF).contains(unit)) {
            return f.pad(&escape(&self.to_text()));
        }
        let mut text = String::with_capacity(self.0.len());
        for c in char::decode_utf16(self.0.iter().copied()) {
            match c {
                Ok(c) => push_escaped(&mut text, c),
                Err(half) => text.push_str(&format!("\\u{{{:x}}}", half.unpaired_surrogate())),
            }
        }
        f.pad(&text)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quoted(&self.to_text()))
    }
}

/// A name as it stands in a cell.
#[derive(Clone, Copy, Debug)]
pub struct StoredName<'a> {
    /// The stored bytes.
    pub bytes: &'a [u8],
    /// One byte a unit instead of two.
    pub narrow: bool,
}

impl<'a> StoredName<'a> {
    /// The code units; the last byte of an odd UTF-16 name is left out.
    pub fn units(self) -> impl Iterator<Item = u16> + 'a {
        let step = if self.narrow { 1 } else { 2 };
        let units = self.bytes.chunks_exact(step);
        units.map(|unit| match unit {
            [low, high] => u16::from_le_bytes([*low, *high]),
            [byte] => u16::from(*byte),
            _ => 0,
        })
    }

    /// The same name on its own.
    pub fn to_name(self) -> Name {
        Name(self.units().collect())
    }

    /// Bytes of the name as UTF-16.
    pub fn utf16_size(self) -> usize {
        match self.narrow {
            true => self.bytes.len().saturating_mul(2),
            false => self.bytes.len(),
        }
    }

    /// The registry's order between two stored names.
    pub fn order(self, other: StoredName<'_>) -> Ordering {
        if self.narrow && other.narrow {
            return order_narrow(self.bytes, other.bytes);
        }
        self.units().map(upcase).cmp(other.units().map(upcase))
    }

    /// The registry's order between a stored name and one on its own.
    pub fn order_name(self, other: &Name) -> Ordering {
        let theirs = other.0.iter().map(|&unit| upcase(unit));
        self.units().map(upcase).cmp(theirs)
    }

    /// A number that is equal for what the registry takes for one name; see [`Folding`].
    pub(super) fn folded_hash(self) -> u64 {
        Folding::of(self.units())
    }

    /// The hash that a hash leaf must hold for this name.
    pub fn hash(self) -> u32 {
        match self.narrow {
            true => hash_narrow(self.bytes),
            false => hash_units(self.units()),
        }
    }

    /// The hint that a fast leaf must hold for this name.
    pub fn hint(self) -> [u8; 4] {
        hint_units(self.units())
    }
}

/// Numbers for names and paths to look them up by. They differ from run to run, so that no hive can
/// hold names which are different and have the same one.
pub(super) struct Folding(DefaultHasher);

static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);

impl Folding {
    /// Begins below something that has the number `above`.
    pub(super) fn below(above: u64) -> Self {
        let mut hasher = SEED.build_hasher();
        hasher.write_u64(above);
        Self(hasher)
    }

    pub(super) fn add(&mut self, units: impl Iterator<Item = u16>) {
        units.for_each(|unit| self.0.write_u16(upcase(unit)));
    }

    pub(super) fn finish(&self) -> u64 {
        self.0.finish()
    }

    fn of(units: impl Iterator<Item = u16>) -> u64 {
        let mut folding = Self(SEED.build_hasher());
        folding.add(units);
        folding.finish()
    }
}

/// Neighbours in a list begin alike, and what is equal need not be upper-cased.
fn order_narrow(ours: &[u8], theirs: &[u8]) -> Ordering {
    for (&one, &other) in ours.iter().zip(theirs) {
        if one != other {
            let order = upcase_narrow(one).cmp(&upcase_narrow(other));
            if order != Ordering::Equal {
                return order;
            }
        }
    }
    ours.len().cmp(&theirs.len())
}

/// As [`hash_units`], four units at once: a check spends much of its time here, and one
/// multiplication after the other would be most of it.
fn hash_narrow(bytes: &[u8]) -> u32 {
    let (fours, rest) = bytes.as_chunks::<4>();
    let hash = fours.iter().fold(0, |hash: u32, four| {
        let [a, b, c, d] = four.map(|byte| u32::from(upcase_narrow(byte)));
        let a = a.wrapping_mul(37 * 37 * 37);
        let b = b.wrapping_mul(37 * 37);
        let c = c.wrapping_mul(37);
        let four = a.wrapping_add(b).wrapping_add(c).wrapping_add(d);
        hash.wrapping_mul(37 * 37 * 37 * 37).wrapping_add(four)
    });
    let rest = rest.iter().map(|&byte| upcase_narrow(byte));
    hash_upcased(hash, rest)
}

fn hash_units(units: impl Iterator<Item = u16>) -> u32 {
    hash_upcased(0, units.map(upcase))
}

fn hash_upcased(hash: u32, units: impl Iterator<Item = u16>) -> u32 {
    units.fold(hash, |hash, unit| {
        hash.wrapping_mul(37).wrapping_add(u32::from(unit))
    })
}

/// A unit that has no single byte becomes 0, which is what Windows writes.
fn hint_units(units: impl Iterator<Item = u16>) -> [u8; 4] {
    let mut hint = [0; 4];
    for (slot, unit) in hint.iter_mut().zip(units) {
        *slot = u8::try_from(unit).unwrap_or(0);
    }
    hint
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_over_upper_cased_utf16_units() {
        // The value that hivex gets wrong, by hashing the bytes of UTF-8.
        assert_eq!(Name::from("épée").hash(), 0x009d_23a7);
        assert_eq!(Name::from("abc").hash(), Name::from("ABC").hash());
    }

    #[test]
    fn narrow_names_are_ordered_and_hashed_as_wide_ones() {
        let texts = [
            "",
            "a",
            "Ab",
            "aB_",
            "ab_c",
            "ABCD",
            "abcde",
            "ÿ",
            "ÿé",
            "µ÷ßé",
            "aéÈb÷ÿ0",
        ];
        for text in texts {
            let (name, (bytes, narrow)) = (Name::from(text), Name::from(text).to_stored());
            let stored = StoredName {
                bytes: &bytes,
                narrow,
            };
            assert!(narrow);
            assert_eq!(stored.hash(), name.hash(), "{text}");
            for other in texts {
                let other = Name::from(other);
                let (bytes, narrow) = other.to_stored();
                let theirs = StoredName {
                    bytes: &bytes,
                    narrow,
                };
                assert_eq!(stored.order(theirs), name.order(&other), "{text}");
            }
        }
    }

    #[test]
    fn order_is_by_upper_cased_units() {
        // '_' (0x5f) stands between 'Z' and 'a': behind every letter once those are upper case.
        assert_eq!(Name::from("a_").order(&Name::from("ab")), Ordering::Greater);
        assert_eq!(Name::from("ab").order(&Name::from("abc")), Ordering::Less);
        assert!(Name::from("Öl").same_as(&Name::from("öL")));
    }

    #[test]
    fn stored_form_is_narrow_exactly_below_256() {
        assert_eq!(Name::from("aé").to_stored(), (vec![0x61, 0xe9], true));
        assert_eq!(Name::from("ā").to_stored(), (vec![0x01, 0x01], false));
    }

    #[test]
    fn a_name_is_shown_escaped_and_is_itself_as_text() {
        let units = [0x61, 0x0a, 0xd83d, 0xde42, 0xd800, 0x202e, 0x5c, 0x0435];
        let name = Name::from_units(units.to_vec());
        assert_eq!(name.to_string(), "a\\u{a}🙂\\u{d800}\\u{202e}\\е");
        assert_eq!(name.to_text(), "a\n🙂\u{fffd}\u{202e}\\е");
        assert_eq!(format!("{:?}", Name::from("a\"\n")), r#""a\"\n""#);
    }

    #[test]
    fn hint_has_zero_for_what_has_no_byte() {
        assert_eq!(Name::from("aāb").hint(), [b'a', 0, b'b', 0]);
    }
}
