// SPDX-License-Identifier: GPL-3.0-or-later
//! `mend`: what is damaged, what can be had again, what is lost; then consent, and a sound hive.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::Value as Json;

use super::args::{AcceptLoss, HiveFiles, MendArgs, RiskArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::interrupted::{self, Wish};
use super::next;
use super::output::Output;
use super::publish::{Destination, Edited, JUDGING_AND_STORING, store};
use super::target::Found;
use crate::disk::{self, HiveFile, ReadAround, read_around, shown};
use crate::log::{self, HiveState, LogError};
use crate::mend::{Donor, Input, Mended, Outcome, essential_lost, mend};
use crate::regf::{FileOffset, Hive, HiveBytes, check};
use crate::report::{MendedHive, mend_json, mend_text, next_text, outcome_json, outcome_text};
use crate::store::{BackupScope, Disk, NewHive, Store};
use crate::text::Foreign;

const LOSS_ADVICE: &str = "Nothing was written. Look for an older sound hive with hivemend donors TARGET, and \
    give it with --donor; or go on without what is lost, with --accept-loss.";

const ESSENTIAL_ADVICE: &str = "Nothing was written. Windows would not start from what is left. Look for \
    an older sound hive with hivemend donors TARGET, and give it with --donor; or go on all the same, with \
    --accept-loss=essential.";

const UNREADABLE_ADVICE: &str = "Nothing was written. The disk fails there, so no backup of this file can \
    be made on it. Write the mended hive elsewhere with -o FILE, or copy the disk first (ddrescue) and \
    mend the copy.";

const NEWER_ADVICE: &str = "It seems to be an older copy that was put here, and what Windows wrote \
    since then is missing from it. Find the hive that belongs to these logs; or go on with this one, \
    with --accept-newer-logs.";

/// A hive that was read, and what came of it.
struct Patient {
    path: PathBuf,
    around: ReadAround,
    hive: MendedHive,
}

pub(super) fn run(args: &MendArgs, output: &Output) -> Result<Exit, Failure> {
    let donors = args.donors.iter().map(|path| read_donor(path));
    let donors: Vec<Vec<u8>> = donors.collect::<Result<_, _>>()?;
    let mut found = find(args)?;
    let backup_dir = args.backup.backup_dir.as_deref();
    let writes = args.output.is_none() && !args.dry_run;
    if writes {
        let risk = RiskArgs {
            accept_hibernated: args.risk.accept_hibernated,
            accept_damage: false,
            accept_newer_logs: args.risk.accept_newer_logs,
        };
        found.guard(&risk, output)?;
        let settled = interrupted::settle(
            &found.target,
            backup_dir,
            Wish::Finish,
            &args.consent,
            output,
        )?;
        if settled.is_some() {
            found.refresh()?;
        }
    }
    let mut patients = Vec::new();
    for (_, hive) in found.hives() {
        let _phase = output.phase(&format!("{}: reading and mending", shown(&hive.path)));
        patients.push(examine(&hive.path, &hive.logs, &donors, args)?);
    }
    if patients.is_empty() {
        let config = shown(&found.target.config);
        return Err(Failure::refused(format!("{config}: there is no hive here")));
    }
    if !output.is_json() && !output.quiet {
        for patient in &patients {
            output.print(&mend_text(&patient.hive, output.verbose));
        }
    }
    let is_sound = |patient: &Patient| matches!(patient.hive.outcome, Outcome::Sound(_));
    let is_done = patients.iter().all(is_sound);
    if args.dry_run && !is_done && !output.is_json() && !output.quiet {
        output.print(&next_text(&next::after_dry_run(args)));
    }
    if args.dry_run || is_done {
        return finish(found.name.raw(), patients, Json::Null, output);
    }
    accept(&patients, args)?;
    if let Some(file) = &args.output {
        save(file, &patients, output)?;
        return finish(found.name.raw(), patients, Json::Null, output);
    }
    publish(&found, patients, args, output)
}

/// Refuses what was not accepted in words.
fn accept(patients: &[Patient], args: &MendArgs) -> Result<(), Failure> {
    let name = |patient: &Patient| patient.hive.name.clone();
    let essential = patients
        .iter()
        .find(|patient| !patient.hive.essential.is_empty());
    if let Some(patient) = essential.filter(|_| args.accept_loss != Some(AcceptLoss::Essential)) {
        let message = format!(
            "{} would lack what Windows cannot start without",
            name(patient)
        );
        return Err(Failure::refused(message).advising(ESSENTIAL_ADVICE));
    }
    let lossy = patients.iter().find(|patient| patient.hive.has_loss());
    if let Some(patient) = lossy.filter(|_| args.accept_loss.is_none()) {
        let message = format!("{} cannot be mended without loss", name(patient));
        return Err(Failure::refused(message).advising(LOSS_ADVICE));
    }
    let unread = patients
        .iter()
        .find(|patient| !patient.around.unreadable.is_empty());
    match unread.filter(|_| args.output.is_none()) {
        Some(patient) => {
            let message = format!("parts of {} cannot be read", shown(&patient.path));
            Err(Failure::refused(message).advising(UNREADABLE_ADVICE))
        }
        None => Ok(()),
    }
}

/// Writes the one damaged hive to `file`, and what lost its place beside it.
fn save(file: &Path, patients: &[Patient], output: &Output) -> Result<(), Failure> {
    let mended: Vec<&Mended> = patients.iter().filter_map(mended_of).collect();
    let [mended] = mended.as_slice() else {
        let message = format!("{} hives are damaged, and one file was named", mended.len());
        return Err(Failure::usage(message).advising("Name one hive's file, not a target."));
    };
    crate::verify::verify(&mended.image, &[])?;
    let store = Store::new(&Disk);
    store.save_new(file, &mended.image)?;
    output.note(&format!("The mended hive is in {}.", shown(file)));
    if let Some(orphans) = &mended.orphans {
        let mut name = file.as_os_str().to_owned();
        name.push(".orphans");
        let beside = PathBuf::from(name);
        store.save_new(&beside, orphans)?;
        output.note(&format!(
            "The keys without a place are in {}, a hive of their own.",
            shown(&beside)
        ));
    }
    Ok(())
}

fn mended_of(patient: &Patient) -> Option<&Mended> {
    match &patient.hive.outcome {
        Outcome::Mended(mended) => Some(mended),
        Outcome::Sound(_) => None,
    }
}

fn publish(
    found: &Found,
    patients: Vec<Patient>,
    args: &MendArgs,
    output: &Output,
) -> Result<Exit, Failure> {
    let question = format!("Write the mended hives to {}?", found.name);
    if !output.consent(args.consent.yes, &question)? {
        return Err(Failure::declined("Nothing was written."));
    }
    let new = patients.iter().filter_map(|patient| {
        let mended = mended_of(patient)?;
        Some(Edited::whole(NewHive {
            name: patient.hive.name.as_str().into(),
            path: patient.path.clone(),
            before_sha256: patient.around.sha256,
            content: mended.image.clone(),
        }))
    });
    let to = Destination {
        config: &found.target.folder,
        backup_dir: args.backup.backup_dir.as_deref(),
        scope: BackupScope::Hives,
        undoes: None,
    };
    let phase = output.phase(JUDGING_AND_STORING);
    let outcome = store(new.collect(), &[], &to, SystemTime::now())?;
    output.writing();
    drop(phase);
    if !output.is_json() && !output.quiet {
        output.print(&outcome_text(&outcome));
        output.print(&next_text(&next::after_mend(args)));
    }
    finish(
        found.name.raw(),
        patients,
        outcome_json(Some(&outcome)),
        output,
    )
}

fn finish(
    target: &str,
    patients: Vec<Patient>,
    outcome: Json,
    output: &Output,
) -> Result<Exit, Failure> {
    if output.is_json() {
        let hives: Vec<MendedHive> = patients.into_iter().map(|patient| patient.hive).collect();
        output.json(&mend_json(target, &hives, outcome));
    }
    Ok(Exit::Done)
}

/// Reads a hive around what cannot be read, applies its logs, and mends what is there.
fn examine(
    path: &Path,
    logs: &[PathBuf],
    donors: &[Vec<u8>],
    args: &MendArgs,
) -> Result<Patient, Failure> {
    let around = read_around(path)?;
    let mut opened = Vec::new();
    for log in logs {
        let name = log.file_name().unwrap_or_default().to_string_lossy();
        opened.push((name.into_owned(), disk::LogFile::open(log)?));
    }
    let log_files: Vec<log::LogFile<'_>> = opened
        .iter()
        .map(|(name, bytes)| log::LogFile {
            name: name.clone(),
            bytes,
        })
        .collect();
    let newer = log::newer_than_hive(&around.content, &log_files);
    if !newer.is_empty() && !args.risk.accept_newer_logs {
        let message = format!(
            "{} is clean, but older than {}",
            shown(path),
            newer.join(", ")
        );
        return Err(Failure::refused(message).advising(NEWER_ADVICE));
    }
    let mut recovered = None;
    let mut recovery = None;
    let mut is_unrecovered = false;
    let mut beyond = 0;
    match log::recover(&around.content, &log_files) {
        Ok(found) => {
            beyond = found.report().last_sequence();
            if !found.was_clean() {
                recovery = Some(found.report().to_string());
                let image = found.to_vec();
                let failed = |error| Failure::failed(format!("{}: {error}", shown(path)));
                recovered = Some(image.map_err(failed)?);
            }
        }
        Err(LogError::NotRecoverable(report)) => {
            beyond = report.last_sequence();
            recovery = Some(report.to_string());
            is_unrecovered = matches!(report.state, HiveState::Dirty { .. });
        }
        Err(LogError::NotAHive(_)) => {}
    }
    let heads = opened.iter().filter_map(|(_, log)| {
        let head = HiveBytes::read(log, FileOffset(0), 512).ok()?;
        Some(head.into_owned())
    });
    let heads: Vec<Vec<u8>> = heads.collect();
    let given = donors.iter().map(|image| {
        Ok::<_, Failure>(Donor {
            hive: Hive::open(image).map_err(|error| Failure::failed(error.to_string()))?,
            is_named: true,
        })
    });
    let given: Vec<Donor<'_>> = given.collect::<Result<_, _>>()?;
    let input = Input {
        image: recovered.as_deref().unwrap_or(&around.content),
        log_heads: &heads,
        beyond,
        donors: &given,
        destroyed: &around.unreadable,
    };
    let outcome = mend(&input);
    let outcome = outcome.map_err(|error| {
        Failure::refused(format!("{}: {error}", shown(path))).advising(
            "Nothing was written. Look for an older sound hive with: hivemend donors TARGET",
        )
    })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.into_owned();
    let essential = match &outcome {
        Outcome::Mended(mended) => essential_lost(&mended.image, &name),
        Outcome::Sound(_) => Vec::new(),
    };
    let hive = MendedHive {
        name,
        path: Foreign::path(path),
        recovery,
        is_unrecovered,
        unreadable: around.unreadable.clone(),
        outcome,
        essential,
    };
    Ok(Patient {
        path: path.to_path_buf(),
        around,
        hive,
    })
}

/// A donor's whole file, which must be sound.
fn read_donor(path: &Path) -> Result<Vec<u8>, Failure> {
    let image = HiveFile::open(path)?.read_content()?;
    match check(&image).first_error() {
        None => Ok(image),
        Some(error) => Err(
            Failure::refused(format!("{} is no sound donor: {error}", shown(path))).advising(
                "Nothing was written. A dirty hive can be recovered first, with recover -o FILE.",
            ),
        ),
    }
}

/// A folder is a target; a file is a hive, whatever it is called.
fn find(args: &MendArgs) -> Result<Found, Failure> {
    let mut files = HiveFiles::default();
    if !args.place.is_file() {
        return Found::find(Some(&args.place), &files);
    }
    files.system = Some(args.place.clone());
    Found::find(None, &files)
}
