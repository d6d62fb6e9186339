// SPDX-License-Identifier: GPL-3.0-or-later
//! The backups of a target, and what of them is removed.

use anstyle::Style;
use serde_json::{Value as Json, json};

use super::page::{width, wrapped};
use super::style::{BOLD, WARN};
use super::styled;
use crate::store::{
    Backup, BackupId, BackupState, Keep, LeftAlone, Listed, PruneOutcome, PrunePlan,
};
use crate::text::{Foreign, Text, shown};

/// A backup in a list.
#[derive(Clone, Debug)]
pub struct BackupRow<'b> {
    /// The backup.
    pub backup: &'b Backup,
    /// The profiles whose changes it takes back.
    pub profiles: Vec<Foreign>,
    /// Whether `restore` takes it where none is named.
    pub is_next: bool,
}

/// The backups of `target`, the newest first, for scripts.
pub fn backups_json(target: &Foreign, backups: &[BackupRow<'_>]) -> Json {
    let rows: Vec<Json> = backups.iter().map(row_json).collect();
    json!({ "schema": "hivemend.backups/1", "target": target, "backups": rows })
}

/// The same for people.
pub fn backups_text(backups: &[BackupRow<'_>]) -> Text {
    let mut text = Text::new();
    for backup in backups {
        write_row(&mut text, backup);
    }
    text
}

/// What was removed of the backups of `target`, for scripts.
pub fn prune_json(target: &Foreign, kept: &[(BackupId, Keep)], outcome: &PruneOutcome) -> Json {
    let kept = kept.iter();
    let kept = kept.map(|(id, keep)| json!({ "id": id, "reason": keep.to_string() }));
    let left = outcome
        .left
        .iter()
        .map(|left| json!({ "path": Foreign::path(&left.path), "reason": left_alone(left) }));
    json!({
        "schema": "hivemend.prune/1",
        "target": target,
        "removed": outcome.removed,
        "kept": kept.collect::<Vec<_>>(),
        "left": left.collect::<Vec<_>>(),
    })
}

/// What was not removed, and why.
pub fn left_alone(left: &LeftAlone) -> String {
    let (path, what) = (shown(&left.path), left.what);
    let more = match left.more {
        0 => String::new(),
        more => format!(", with {more} more"),
    };
    format!("{path} was left alone{more}: a {what}. Remove it yourself, if it is not needed")
}

/// What is to be removed of backups, and what stays.
pub fn prune_text(plan: &PrunePlan) -> Text {
    let mut text = Text::new();
    for (id, keep) in &plan.keep {
        text.line(format_args!("keep    {}  {keep}", id.as_str()));
    }
    for id in &plan.remove {
        text.line(format_args!("remove  {}", id.as_str()));
    }
    text
}

fn row_json(row: &BackupRow<'_>) -> Json {
    let backup = row.backup;
    let path = Foreign::path(&backup.folder);
    match &backup.manifest {
        Ok(manifest) => json!({
            "id": backup.id,
            "path": path,
            "created": manifest.created,
            "version": manifest.version,
            "state": manifest.state,
            "hives": manifest.hives.iter().map(|hive| json!({
                "name": hive.name,
                "before": hive.before,
                "after": hive.after,
                "kept_as": hive.kept_as,
            })).collect::<Vec<_>>(),
            "changes": manifest.changes.0,
            "profiles": row.profiles,
            "size": size(manifest),
            "next": row.is_next,
        }),
        Err(fault) => json!({ "id": backup.id, "path": path, "error": fault.to_string() }),
    }
}

/// Bytes of the files that are in a backup.
fn size(manifest: &Listed) -> u64 {
    let hives = manifest.hives.iter().map(|hive| hive.before.size);
    let others = manifest.companions.iter().map(|file| file.content.size);
    hives.chain(others).fold(0, u64::saturating_add)
}

fn write_row(text: &mut Text, row: &BackupRow<'_>) {
    let backup = row.backup;
    let id = styled(BOLD, backup.id.as_str());
    let manifest = match &backup.manifest {
        Ok(manifest) => manifest,
        Err(fault) => {
            let line = format!("unusable: {fault}");
            text.line(&id);
            return wrapped(text, WARN, "  ", &line);
        }
    };
    let next = match row.is_next {
        true => "  <- what restore takes unless one is named",
        false => "",
    };
    let columns = backup
        .id
        .as_str()
        .len()
        .saturating_add(next.chars().count());
    match columns > width() {
        true => {
            text.line(&id);
            text.line(format_args!("  {}", next.trim_start()));
        }
        false => text.line(format_args!("{id}{next}")),
    }
    let hives: Vec<String> = manifest
        .hives
        .iter()
        .map(|hive| hive.name.to_string())
        .collect();
    let state = match manifest.state {
        BackupState::Applying => "not completed",
        BackupState::Applied => "applied",
        BackupState::Restored => "restored since",
    };
    let changes = manifest.changes.0;
    let s = if changes == 1 { "" } else { "s" };
    let line = format!(
        "{}: {state}, {changes} change{s} in {}, {}",
        date(manifest.created.raw()),
        hives.join(" and "),
        megabytes(size(manifest))
    );
    wrapped(text, Style::new(), "  ", &line);
    if !row.profiles.is_empty() {
        let profiles: Vec<&str> = row.profiles.iter().map(Foreign::raw).collect();
        wrapped(text, Style::new(), "  by ", &profiles.join(", "));
    }
    if let Some(undone) = &manifest.undoes {
        let line = format!("took back the values of {}", undone.as_str());
        wrapped(text, Style::new(), "  ", &line);
    }
    text.line(format_args!("  {}", shown(&backup.folder)));
}

/// `2026-11-20T10:31:05Z` as people read it.
fn date(created: &str) -> String {
    let time = created
        .strip_suffix('Z')
        .and_then(|time| time.split_once('T'));
    match time {
        Some((day, time)) => format!("{day} {time} UTC"),
        None => created.to_owned(),
    }
}

fn megabytes(bytes: u64) -> String {
    const KIB: u64 = 1 << 10;
    const MIB: u64 = 1 << 20;
    match bytes {
        bytes if bytes >= MIB => {
            let tenths = (bytes % MIB).saturating_mul(10) / MIB;
            format!("{}.{tenths} MiB", bytes / MIB)
        }
        bytes => format!("{} KiB", bytes.div_ceil(KIB)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_read_at_a_glance() {
        assert_eq!(date("2026-11-20T10:31:05Z"), "2026-11-20 10:31:05 UTC");
        assert_eq!(date("yesterday"), "yesterday");
        assert_eq!(megabytes(8192), "8 KiB");
        assert_eq!(megabytes(13_000_000), "12.3 MiB");
    }
}
