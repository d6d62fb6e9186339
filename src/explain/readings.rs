// SPDX-License-Identifier: GPL-3.0-or-later
//! What a number can be: each of its kinds, the likeliest for Remote Desktop and starting first,
//! with its entry or at least its name.

use std::borrow::Cow;

use super::codes::{Notation, Written};
use super::said::Said;
use super::words::words;
use super::{Entry, Kind, Library, names};

/// A number of the text and what it can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeRead {
    /// As it stands in the text, but for case.
    pub written: String,
    /// Its value; none where it has more than 32 bits, so that it is no code.
    pub code: Option<u32>,
    /// What it can be, the likeliest first; empty where nothing is known of it.
    pub readings: Vec<Reading>,
    /// Of a stop error: those of its parameters that are errors themselves.
    pub parameters: Vec<Reading>,
}

/// One thing that a number can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What kind of number.
    pub kind: Kind,
    /// The number: that of the text, or the one that is wrapped in it.
    pub code: u32,
    /// What Windows calls it.
    pub name: Option<String>,
    /// What its bits say.
    pub bits: Option<String>,
    /// Whether there is more than its name.
    pub is_explained: bool,
}

/// An entry that answers.
#[derive(Clone, Debug)]
pub struct Found<'a> {
    /// The entry; made for the answer, where only a name is known.
    pub entry: Cow<'a, Entry>,
    /// How well it fits, up to 100.
    pub score: u32,
}

/// How sure it is that a number is what it is read as, by what is said of it.
fn certainty(written: &Written) -> u32 {
    match written.said {
        Some(Said::Error | Said::Status) => 95,
        // It stands beside the code that it extends.
        Some(Said::Extended) => 94,
        Some(_) => 97,
        None if written.is_alone || written.is_loose => 95,
        None => 78,
    }
}

/// What a number is worth less for each kind that is likelier.
const STEP: u32 = 7;
/// FreeRDP and what is made of it show an extended reason with this in its upper half.
const OTHER_CLIENTS: u32 = 0x0001_0000;
/// What a name alone is worth less than an explanation.
const NAME_ONLY: u32 = 20;

/// The number read, and the entries that it leads to.
pub(super) fn read<'a>(
    written: &Written,
    library: &'a Library,
    words: &[String],
) -> (CodeRead, Vec<Found<'a>>) {
    let mut readings: Vec<Reading> = Vec::new();
    let mut found = Vec::new();
    let mut score = certainty(written);
    let kinds = written
        .code
        .map(|code| kinds(written, code, library, words));
    for (kind, code) in kinds.unwrap_or_default() {
        let entry = library.entry(kind, code);
        let name = names::name(kind, code);
        if entry.is_none() && name.is_none()
            || readings.iter().any(|r| r.kind == kind && r.code == code)
        {
            continue;
        }
        let is_explained = entry.is_some();
        // A name that a small number happens to have says nothing, where another kind explains it.
        let is_idle = !is_explained && written.said.is_none() && !written.is_alone;
        if is_idle && (code < 0x1_0000 || !readings.is_empty()) {
            continue;
        }
        let entry = match (entry, &name) {
            (Some(entry), _) => Some((Cow::Borrowed(entry), score)),
            (None, Some(name)) if !readings.iter().any(|reading| reading.is_explained) => {
                let entry = Entry::only_named(kind, code, name.clone());
                Some((Cow::Owned(entry), score.saturating_sub(NAME_ONLY)))
            }
            _ => None,
        };
        let bits = names::bits(kind, code);
        if let Some((mut entry, score)) = entry {
            let details = &mut entry.to_mut().details;
            details.extend(bits.iter().map(|bits| format!("The number is {bits}")));
            found.push(Found { entry, score });
        }
        readings.push(Reading {
            kind,
            code,
            name,
            bits,
            is_explained,
        });
        score = score.saturating_sub(STEP);
    }
    // What an explained number wraps is better than the name of what wraps it.
    if found.iter().any(|found| !is_only_named(&found.entry)) {
        found.retain(|found| !is_only_named(&found.entry));
    }
    let parameters = written
        .parameters
        .iter()
        .filter_map(|wide| parameter(*wide));
    let read = CodeRead {
        written: written.text.clone(),
        code: written.code,
        readings,
        parameters: parameters.collect(),
    };
    (read, found)
}

fn is_only_named(entry: &Entry) -> bool {
    entry.causes.is_empty()
        && entry.profiles.is_empty()
        && entry.not_registry.is_empty()
        && entry.offline.is_empty()
}

/// A parameter of a stop error that is an NTSTATUS, with or without its sign in the upper half.
fn parameter(wide: u64) -> Option<Reading> {
    let upper = wide >> 32;
    let code = u32::try_from(wide & 0xFFFF_FFFF).ok()?;
    if !matches!(upper, 0 | 0xFFFF_FFFF) || code >> 30 != 3 {
        return None;
    }
    let name = names::name(Kind::Ntstatus, code)?;
    Some(Reading {
        kind: Kind::Ntstatus,
        code,
        name: Some(name),
        bits: names::bits(Kind::Ntstatus, code),
        is_explained: false,
    })
}

/// What the number can be, with what is wrapped in it right behind what wraps it.
fn kinds(written: &Written, code: u32, library: &Library, asked: &[String]) -> Vec<(Kind, u32)> {
    let mut kinds = Vec::new();
    if names_its_origin(code, library, asked) {
        kinds.push(Kind::Event);
    }
    if written.is_loose {
        return kinds.into_iter().map(|kind| (kind, code)).collect();
    }
    let is_hex = written.notation != Notation::Decimal;
    kinds.extend_from_slice(match written.said {
        Some(Said::Event) => &[Kind::Event],
        Some(Said::Extended) => &[Kind::Extended],
        Some(Said::Stop) => &[Kind::Stop, Kind::Ntstatus],
        Some(Said::Disconnect) if code < 0x8000_0000 => {
            &[Kind::Disconnect, Kind::Extended, Kind::SystemError]
        }
        _ if code >> 30 == 3 && code & 0x1000_0000 == 0 => {
            &[Kind::Ntstatus, Kind::Stop, Kind::Hresult, Kind::SystemError]
        }
        // Some system errors are as large.
        _ if code >= 0x8000_0000 => &[Kind::Hresult, Kind::Ntstatus, Kind::SystemError],
        Some(Said::System) => &[Kind::SystemError],
        Some(Said::Status) => &[Kind::SystemError, Kind::Ntstatus, Kind::Hresult],
        Some(Said::Error) if !is_hex => &[
            Kind::SystemError,
            Kind::Disconnect,
            Kind::Event,
            Kind::Extended,
        ],
        _ if is_hex => &[
            Kind::Disconnect,
            Kind::Stop,
            Kind::SystemError,
            Kind::Extended,
            Kind::Ntstatus,
            Kind::Hresult,
        ],
        _ => &[
            Kind::Disconnect,
            Kind::SystemError,
            Kind::Event,
            Kind::Extended,
        ],
    });
    let mut all = Vec::new();
    if is_hex && code & 0xFFFF_0000 == OTHER_CLIENTS {
        all.push((Kind::Extended, code & 0xFFFF));
    }
    for kind in kinds {
        all.push((kind, code));
        let mut wraps = (kind, code);
        // An HRESULT may wrap an NTSTATUS, and that a system error.
        while let Some(inner) = names::inner(wraps.0, wraps.1).filter(|_| all.len() < 8) {
            all.push(inner);
            wraps = inner;
        }
    }
    all
}

/// Whether the text names the source of an event of this number.
fn names_its_origin(code: u32, library: &Library, asked: &[String]) -> bool {
    let events = library.entries().iter();
    let mut events = events.filter(|entry| entry.kind == Kind::Event && entry.code == Some(code));
    events.any(|event| {
        event.origin.iter().any(|origin| {
            let origin = words(&super::fold::fold(origin));
            let named = origin.iter().filter(|word| asked.contains(word)).count();
            named > 0 && named.saturating_mul(2) >= origin.len()
        })
    })
}

impl Library {
    /// The entry of a number of this kind.
    pub fn entry(&self, kind: Kind, code: u32) -> Option<&Entry> {
        let mut entries = self.entries().iter();
        entries.find(|entry| entry.kind == kind && entry.code == Some(code))
    }
}
