// SPDX-License-Identifier: GPL-3.0-or-later
//! A word that is looked for in names and text, in whatever case.

use super::Value;
use crate::regf::Name;

/// A word, folded as the registry folds names.
#[derive(Clone, Debug)]
pub struct Word {
    units: Vec<u16>,
    /// For each length of what has matched, how much still matches where the next unit does not: so
    /// that no unit is looked at twice, whatever somebody has put into a hive.
    fallback: Vec<usize>,
}

impl Word {
    /// The word `text`; `None` for one that is everywhere.
    pub fn new(text: &str) -> Option<Self> {
        let units = Name::from(text).folded();
        if units.is_empty() {
            return None;
        }
        let mut word = Self {
            units,
            fallback: vec![0, 0],
        };
        for at in 1..word.units.len() {
            let last = word.fallback.last().copied().unwrap_or(0);
            let next = word.units.get(at).copied().unwrap_or(0);
            let next = word.after(last, next);
            word.fallback.push(next);
        }
        Some(word)
    }

    /// How much matches behind `matched` units and `unit`.
    fn after(&self, mut matched: usize, unit: u16) -> usize {
        loop {
            if self.units.get(matched) == Some(&unit) {
                return matched.saturating_add(1);
            }
            match self.fallback.get(matched) {
                Some(less) if matched > 0 => matched = *less,
                _ => return 0,
            }
        }
    }

    /// Whether the word is in a name.
    pub fn is_in(&self, name: &Name) -> bool {
        let mut matched = 0;
        name.folded().into_iter().any(|unit| {
            matched = self.after(matched, unit);
            matched == self.units.len()
        })
    }

    /// Whether the word is in the text that a value holds: REG_SZ, REG_EXPAND_SZ, REG_MULTI_SZ.
    pub fn is_in_text_of(&self, value: &Value) -> bool {
        if !matches!(value.kind, 1 | 2 | 7) {
            return false;
        }
        let units = value.data.as_chunks::<2>().0.iter();
        let units = units.map(|unit| u16::from_le_bytes(*unit)).collect();
        self.is_in(&Name::from_units(units))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in(word: &str, text: &str) -> bool {
        Word::new(word).unwrap().is_in(&Name::from(text))
    }

    #[test]
    fn words_are_found_in_whatever_case_and_wherever() {
        assert!(is_in("portnumber", "PortNumber"));
        assert!(is_in("ÖL", "Erdöl"));
        assert!(is_in("aab", "aaab") && is_in("abab", "aababab") && is_in("x", "x"));
        assert!(!is_in("aab", "abab") && !is_in("portnumber", "PortNumbe"));
        assert!(is_in(r"a\b", r"C:\A\B"));
        assert!(Word::new("").is_none());
    }

    #[test]
    fn a_text_of_one_letter_is_no_trap() {
        let word = "a".repeat(4_000) + "b";
        assert!(!is_in(&word, &"a".repeat(4 << 20)));
    }
}
