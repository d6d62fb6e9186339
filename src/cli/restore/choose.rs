// SPDX-License-Identifier: GPL-3.0-or-later
//! Which backup is meant.

use std::cell::OnceCell;
use std::path::Path;

use crate::cli::failure::Failure;
use crate::cli::target::Found;
use crate::store::{Backup, BackupState, Disk, RestorePlan, Site, Store};
use crate::text::quoted;

/// The backup that was named with `wanted`, or the newest that `restore` can be about.
pub(in crate::cli) fn choose(
    values: bool,
    backup_dir: Option<&Path>,
    wanted: Option<&str>,
    found: &Found,
) -> Result<Backup, Failure> {
    let store = Store::new(&Disk);
    let backups = store.list(&found.target.folder, backup_dir)?;
    let site = &found.site();
    let fitting = Fitting::among(&backups, &store, site);
    // A folder that was named may hold the backups of other disks too.
    let own = || fitting.first(BackupState::Applied, |plan| plan.changed.is_empty());
    let own = backup_dir.and_then(|_| own());
    if backup_dir.is_some() && wanted.is_none() && own.is_none() && values {
        let message = "this disk holds none of these backups' hives as hivemend left them, so \
            that the newest may be another disk's";
        return Err(Failure::refused(message)
            .advising("Name the backup; see what there is with: hivemend backups TARGET"));
    }
    let chosen = match wanted {
        None if own.is_some() => own.map(|own| match values {
            true => undone_by(&backups, own).unwrap_or(own),
            false => own,
        }),
        None if values => to_take_back(&backups),
        _ => to_put_back(&fitting, wanted),
    };
    if wanted.is_none() {
        none_passed_over(&backups, chosen)?;
    }
    take(backups, chosen, wanted)
}

fn is_in(backup: &Backup, state: BackupState) -> bool {
    let manifest = backup.manifest.as_ref();
    manifest.is_ok_and(|manifest| manifest.state == state)
}

/// The backups, and which of them are about hives that are as the target's are now. Only those are looked
/// at closely: a folder may hold those of thousands of disks.
struct Fitting<'a> {
    backups: &'a [Backup],
    fits: OnceCell<Vec<bool>>,
    store: &'a Store<'a>,
    site: &'a Site,
}

impl<'a> Fitting<'a> {
    fn among(backups: &'a [Backup], store: &'a Store<'a>, site: &'a Site) -> Self {
        let fits = OnceCell::new();
        Self {
            backups,
            fits,
            store,
            site,
        }
    }

    /// The first in this state of which restoring would be such.
    fn first(&self, state: BackupState, is_such: impl Fn(&RestorePlan) -> bool) -> Option<usize> {
        let fits = self
            .fits
            .get_or_init(|| self.store.about_these_hives(self.site, self.backups));
        self.backups.iter().zip(fits).position(|(backup, fits)| {
            let plan = || self.store.prepare_restore(self.site, backup);
            *fits && is_in(backup, state) && plan().is_ok_and(|plan| is_such(&plan))
        })
    }
}

/// The backup that was named; or the newest that was applied and not restored since; or else the
/// one that everything already is as in.
fn to_put_back(fitting: &Fitting<'_>, wanted: Option<&str>) -> Option<usize> {
    let backups = fitting.backups;
    match wanted {
        Some(id) => backups.iter().position(|backup| backup.id.as_str() == id),
        None => {
            let mut applied = backups.iter();
            let applied = applied.position(|backup| is_in(backup, BackupState::Applied));
            applied.or_else(|| fitting.first(BackupState::Restored, RestorePlan::is_empty))
        }
    }
}

/// The newest apply whose values were not taken back yet, or else the newest one: to take values
/// back twice must not bring them on again.
fn to_take_back(backups: &[Backup]) -> Option<usize> {
    let undoes = |backup: &Backup| backup.manifest.as_ref().ok()?.undoes.clone();
    let is_apply =
        |backup: &Backup| is_in(backup, BackupState::Applied) && undoes(backup).is_none();
    let is_open = |backup: &Backup| {
        let taken_back = |other: &Backup| {
            is_in(other, BackupState::Applied) && undoes(other).as_ref() == Some(&backup.id)
        };
        is_apply(backup) && !backups.iter().any(taken_back)
    };
    let open = backups.iter().position(is_open);
    open.or_else(|| backups.iter().position(is_apply))
}

/// The backup whose values the run of the backup at `index` took back, if it did.
fn undone_by(backups: &[Backup], index: usize) -> Option<usize> {
    let manifest = backups.get(index)?.manifest.as_ref().ok()?;
    let undone = manifest.undoes.as_ref()?;
    backups.iter().position(|backup| backup.id == *undone)
}

/// Refuses to choose a backup where a newer one cannot be used: what that one was for is not known.
fn none_passed_over(backups: &[Backup], chosen: Option<usize>) -> Result<(), Failure> {
    let chosen = chosen.and_then(|index| backups.get(index));
    let newer = |backup: &&Backup| chosen.is_none_or(|chosen| backup.is_newer_than(chosen));
    let unusable = backups.iter().filter(|backup| backup.manifest.is_err());
    let Some(backup) = unusable
        .filter(newer)
        .max_by(|one, other| one.id.cmp(&other.id))
    else {
        return Ok(());
    };
    let Err(fault) = &backup.manifest else {
        return Ok(());
    };
    let id = backup.id.as_str();
    let message = format!("the newest backup ({id}) cannot be used: {fault}");
    Err(Failure::refused(message).advising(
        "Nothing was written. An older backup is not taken in its place unless you name it: what the \
         unusable one would undo stays then. See what there is with: hivemend backups TARGET",
    ))
}

fn take(
    backups: Vec<Backup>,
    chosen: Option<usize>,
    wanted: Option<&str>,
) -> Result<Backup, Failure> {
    let found = chosen.and_then(|index| backups.into_iter().nth(index));
    found.ok_or_else(|| {
        let message = match wanted {
            Some(id) => format!("there is no backup {} here", quoted(id)),
            None => "there is no backup here that could be restored".to_owned(),
        };
        Failure::refused(message).advising("See what there is with: hivemend backups TARGET")
    })
}
