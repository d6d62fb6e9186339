// SPDX-License-Identifier: GPL-3.0-or-later
//! Mending: the bytes of a damaged hive in, a sound image and an account of what was lost out. Pure.
//!
//! What can be worked out again is: lists, counts, hashes, the ring of security records, the base
//! block. What cannot is lost, and named. Nothing is invented: each key, value and byte of data in the
//! result stands in the damaged file, in a log, or in a donor. `docs/mending.md` has the rules.

mod base;
mod bins;
mod donor;
mod error;
mod exchange;
mod expected;
mod flags;
mod in_place;
mod input;
mod lists;
mod model;
mod names;
mod nodes;
mod notes;
mod orphans;
mod page_bytes;
mod page_moves;
mod pages;
mod proof;
mod prune;
mod report;
mod resolve;
mod root;
mod saved;
mod security;
mod strays;
mod suspects;
mod tree;
mod value_data;
mod values;
mod write;

use self::base::Base;
use self::bins::Bins;
use self::model::Tree;
use self::saved::Saved;
use self::tree::Builder;
use crate::regf::{BASE_BLOCK_SIZE, Report, check};

pub use self::donor::Donor;
pub use self::error::MendError;
pub use self::input::Input;
pub use self::notes::{Fix, LostKind};
pub use self::page_moves::PageMove;
pub use self::report::{Essential, Filled, Loss, MendReport, Repair, essential_lost};

/// What came of it.
#[derive(Debug)]
pub enum Outcome {
    /// The hive is sound: nothing is to be done.
    Sound(Report),
    /// It was mended.
    Mended(Box<Mended>),
}

/// A mended hive.
#[derive(Debug)]
pub struct Mended {
    /// The whole primary file.
    pub image: Vec<u8>,
    /// A hive of its own with the keys that live and whose place is lost.
    pub orphans: Option<Vec<u8>>,
    /// What was done and what is lost.
    pub report: MendReport,
    /// What the structural check found before.
    pub before: Report,
    /// What it finds now: no error.
    pub after: Report,
}

/// Mends the hive in `input`.
///
/// A sound one comes back as it is. The time is linear in the size, the memory some three times that.
///
/// # Errors
///
/// Where nothing of a hive is left, or the result would not be sound.
pub fn mend(input: &Input<'_>) -> Result<Outcome, MendError> {
    let before = check(input.image);
    // Where a part could not be read, a sound structure says nothing of the data.
    if before.is_sound() && input.destroyed.is_empty() {
        return Ok(Outcome::Sound(before));
    }
    let saved = save(input, &before)?;
    let suspects = suspects::suspects(&saved.bins, &saved.tree, input.destroyed, &saved.strange);
    let report = report::report(&saved, suspects);
    let orphans = match &saved.orphans {
        None => None,
        Some(orphans) => {
            let image = fresh(&saved, &orphans.tree, input.beyond)?;
            // A side file that were not sound would help nobody.
            Some(image).filter(|image| check(image).is_sound())
        }
    };
    if report.is_lossless()
        && let Some((image, after)) = in_place::mended(&saved, input)
    {
        let report = MendReport {
            is_in_place: true,
            ..report
        };
        return Ok(Outcome::Mended(Box::new(Mended {
            image,
            orphans,
            report,
            before,
            after,
        })));
    }
    let image = fresh(&saved, &saved.tree, input.beyond)?;
    let after = check(&image);
    if let Some(error) = after.first_error() {
        return Err(MendError::NotSound(error.to_string()));
    }
    Ok(Outcome::Mended(Box::new(Mended {
        image,
        orphans,
        report,
        before,
        after,
    })))
}

/// The whole primary file of a fresh hive with `tree`.
fn fresh(saved: &Saved, tree: &Tree, beyond: u32) -> Result<Vec<u8>, MendError> {
    let written = write::write(tree, &saved.bins, saved.minor)?;
    let size = u32::try_from(written.bins.len()).map_err(|_| MendError::TooLarge)?;
    let base = saved.base.sealed(written.root, size, saved.minor, beyond);
    // In the same memory: a hive may be as large as what is left of it.
    let mut image = written.bins;
    let length = image.len();
    image.reserve_exact(base.len());
    image.resize(length.saturating_add(base.len()), 0);
    image.copy_within(..length, base.len());
    if let Some(head) = image.get_mut(..base.len()) {
        head.copy_from_slice(&base);
    }
    Ok(image)
}

fn save(input: &Input<'_>, before: &Report) -> Result<Saved, MendError> {
    let mut base = Base::read(input.image, input.log_heads);
    let start = usize::try_from(BASE_BLOCK_SIZE).unwrap_or(usize::MAX);
    let all = input.image.get(start..).unwrap_or(&[]);
    let mut bins = Bins::new(
        all.get(..bins_size(&base, all, before))
            .unwrap_or(all)
            .to_vec(),
    );
    base.take_time(&bins);
    let moves = pages::sort_pages(&mut bins);
    bins.note_lost(&suspects::in_bins(input.destroyed));
    let minor = base.version(&bins);
    let mut builder = Builder::new(&mut bins);
    if builder.nodes.is_empty() {
        return Err(MendError::Nothing);
    }
    if !builder.place_root(base.root, base.is_sound) {
        return Err(MendError::NoRoot);
    }
    builder.grow();
    let names = donor::names(input.donors);
    builder.name_lost_keys(&names);
    builder.read_security();
    builder.read_values(minor);
    builder.settle_flags(minor);
    builder.prune();
    builder.read_classes();
    builder.ask_donors(input.donors, minor);
    let (tree, notes) = (
        std::mem::take(&mut builder.tree),
        std::mem::take(&mut builder.notes),
    );
    // What orphans use bears nothing out: whose they are is not known.
    let mut strange = suspects::strange(builder.bins);
    let orphans = orphans::gather(&mut builder, minor);
    drop(builder);
    strange.extend(bins.put_back());
    Ok(Saved {
        bins,
        base,
        minor,
        tree,
        notes,
        moves,
        orphans,
        strange,
    })
}

/// How much of what follows the base block is bins: as it says, unless bins lie behind that which
/// something within them leads to.
fn bins_size(base: &Base, all: &[u8], before: &Report) -> usize {
    let declared = base.bins_size();
    let is_possible = declared > 0 && declared.is_multiple_of(bins::UNIT) && declared <= all.len();
    let leads_out = ["cell-out-of-range", "bin-size"];
    let is_too_small = leads_out
        .iter()
        .any(|code| before.counts.contains_key(code));
    match is_possible && !is_too_small {
        true => declared,
        false => bins::reached(all, declared.min(all.len())),
    }
}
