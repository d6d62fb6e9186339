// SPDX-License-Identifier: GPL-3.0-or-later
//! The target that was named, and its hives.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::args::{HiveFiles, RiskArgs, TargetArgs};
use super::failure::Failure;
use super::judge::judge;
use super::output::Output;
use super::source::Source;
use super::typed::commands_at;
use crate::disk::{HivePath, Target, guard, shown};
use crate::machine::{Condition, HiveInput, Mistaken, Selection, mistaken};
use crate::plan::Metadata;
use crate::profile::HiveName;
use crate::regf::{Hive, HiveBytes, TRANSACTIONS_PENDING};
use crate::report::CommandLine;
use crate::store::{Disk, Site, Store};
use crate::text::{Foreign, quoted};

/// A target that was found, and what it was called.
pub(super) struct Found {
    pub(super) name: Foreign,
    pub(super) target: Target,
    /// The folder that was named, unless hives were named one by one.
    place: Option<PathBuf>,
    files: HiveFiles,
}

impl Found {
    /// A target that was found by other means.
    pub(super) fn new(name: Foreign, target: Target) -> Self {
        Self {
            name,
            place: target.root.clone(),
            target,
            files: HiveFiles::default(),
        }
    }

    /// Commands about it.
    pub(super) fn commands(&self) -> CommandLine {
        commands_at(self.place.as_deref(), &self.files)
    }

    pub(super) fn from_args(args: &TargetArgs) -> Result<Self, Failure> {
        Self::find(args.target.as_deref(), &args.files)
    }

    pub(super) fn find(target: Option<&Path>, files: &HiveFiles) -> Result<Self, Failure> {
        let (system, software) = (files.system.as_deref(), files.software.as_deref());
        let names = target.into_iter().chain(system).chain(software);
        let names: Vec<Foreign> = names.map(Foreign::path).collect();
        let names: Vec<&str> = names.iter().map(Foreign::raw).collect();
        Ok(Self {
            name: names.join(", ").into(),
            target: look(target, files)?,
            place: target.map(Path::to_path_buf),
            files: files.clone(),
        })
    }

    /// Looks again: settling an interrupted run may have given hives their names back.
    pub(super) fn refresh(&mut self) -> Result<(), Failure> {
        self.target = look(self.place.as_deref(), &self.files)?;
        Ok(())
    }

    /// The first of the typed words is the target, unless hives were named one by one.
    pub(super) fn from_words<'w>(
        words: &'w [OsString],
        files: &HiveFiles,
    ) -> Result<(Self, &'w [OsString]), Failure> {
        if files.system.is_some() || files.software.is_some() {
            return Ok((Self::find(None, files)?, words));
        }
        let Some((target, rest)) = words.split_first() else {
            return Err(Failure::usage("no target was named")
                .advising("Name the attached disk, or its hives with --system and --software."));
        };
        Ok((Self::find(Some(Path::new(target)), files)?, rest))
    }

    /// The hives that are there.
    pub(super) fn hives(&self) -> impl Iterator<Item = (HiveName, &HivePath)> {
        self.target.hives().map(|path| (path.name, path))
    }

    /// Every guard that stands between a command and its first write.
    pub(super) fn guard(&self, risk: &RiskArgs, output: &Output) -> Result<(), Failure> {
        guard::before_writing(&self.target)?;
        match guard::not_hibernated(&self.target) {
            Err(error) if risk.accept_hibernated => output.warn(&error.to_string()),
            Err(error) => {
                return Err(Failure::from(error).advising(
                    "Start that Windows, run powercfg /h off and shut it down; or discard its \
                     session by removing hiberfil.sys; or go on with --accept-hibernated.",
                ));
            }
            Ok(()) => {}
        }
        Ok(())
    }

    /// What an engineer should know of the disk before anything is written to it.
    pub(super) fn warnings(&self, hives: &[OpenHive]) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Err(error) = guard::not_running(&self.target.config) {
            warnings.push(format!("{error}: apply will refuse it"));
        }
        match self.target.hibernation() {
            Ok(None) => {}
            Ok(Some(found)) => warnings.push(format!("{}: apply will refuse it", found.seen())),
            Err(error) => warnings.push(error.to_string()),
        }
        for hive in hives {
            let misfits = hive.source.misfits().iter();
            warnings.extend(misfits.map(ToString::to_string));
            for log in hive.source.newer_logs() {
                warnings.push(format!(
                    "{} is clean, but older than {log}: it seems to be an older copy that was \
                     put here",
                    hive.name
                ));
            }
            let may_be_pending = hive.source.file.base_block().flags & TRANSACTIONS_PENDING != 0;
            if may_be_pending
                && self
                    .target
                    .has_transactions_since(&hive.source.path)
                    .unwrap_or(true)
            {
                warnings.push(format!(
                    "{} has registry transactions that were not finished (logs in config\\TxR are newer \
                     than the hive): Windows may still carry them out in it, over what is written here",
                    hive.name
                ));
            }
        }
        warnings
    }

    /// What stays with the hives' files when they are replaced; they lie in one folder.
    pub(super) fn metadata(&self, hives: &[HiveInput<'_>]) -> Option<Metadata> {
        let read = hives.first()?.name;
        let (_, hive) = self.hives().find(|(name, _)| *name == read)?;
        let kept = Store::new(&Disk).kept(&hive.path).ok()?;
        let texts = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        Some(Metadata {
            file_system: kept.file_system,
            kept: texts(kept.kept),
            not_kept: texts(kept.lost),
        })
    }

    /// Where the store works, and what records there may speak of.
    pub(super) fn site(&self) -> Site {
        Site::of(&self.target, judge)
    }

    /// Opens those of the `wanted` hives that are there, with their logs: what is wrong with
    /// another hive is no reason to leave these alone.
    pub(super) fn open(&self, wanted: &Wanted, output: &Output) -> Result<Vec<OpenHive>, Failure> {
        let mut hives = Vec::new();
        for (name, path) in self.hives().filter(|(name, _)| wanted.has(*name)) {
            let is_needed = wanted.needed.contains(&name);
            match Source::open(&path.path, &path.logs) {
                Ok(source) => hives.push(OpenHive {
                    name,
                    source,
                    is_needed,
                }),
                Err(failure) if is_needed => return Err(failure),
                Err(failure) => leave_out(name, &failure, output),
            }
        }
        if self.hives().next().is_none() {
            let config = shown(&self.target.config);
            let message = format!("{config}: there is no SYSTEM and no SOFTWARE hive here");
            return Err(Failure::refused(message).advising("hivemend never creates a hive."));
        }
        Ok(hives)
    }

    /// Opens the hive `name` with its logs, if it is there.
    pub(super) fn open_one(&self, name: HiveName) -> Result<Option<OpenHive>, Failure> {
        let Some((_, path)) = self.hives().find(|(found, _)| *found == name) else {
            return Ok(None);
        };
        let source = Source::open(&path.path, &path.logs)?;
        Ok(Some(OpenHive {
            name,
            source,
            is_needed: false,
        }))
    }
}

/// The hives that a command is about.
pub(super) struct Wanted {
    /// What is compared or changed is in these.
    pub(super) needed: Vec<HiveName>,
    /// These only tell something besides: the version of Windows, whether a condition holds.
    pub(super) useful: Vec<HiveName>,
}

impl Wanted {
    /// These hives, and no other.
    pub(super) fn only(needed: Vec<HiveName>) -> Self {
        let useful = Vec::new();
        Self { needed, useful }
    }

    fn has(&self, name: HiveName) -> bool {
        self.needed.contains(&name) || self.useful.contains(&name)
    }
}

fn look(place: Option<&Path>, files: &HiveFiles) -> Result<Target, Failure> {
    Ok(match place {
        Some(place) => Target::find(place)?,
        None => Target::files(files.system.as_deref(), files.software.as_deref())?,
    })
}

/// A hive of the target, open but not read.
pub(super) struct OpenHive {
    pub(super) name: HiveName,
    pub(super) source: Source,
    /// What is compared or changed is in it.
    pub(super) is_needed: bool,
}

impl OpenHive {
    /// Goes on without a hive that cannot be read, if it would only tell something besides.
    pub(super) fn leave_out(&self, failure: Failure, output: &Output) -> Result<(), Failure> {
        if self.is_needed {
            return Err(failure);
        }
        leave_out(self.name, &failure, output);
        Ok(())
    }
}

pub(super) fn leave_out(name: HiveName, failure: &Failure, output: &Output) {
    output.warn(&format!(
        "{name} is left out, so that it cannot tell what machine this is: {}",
        failure.sentence()
    ));
}

/// The hive for a plan, read from `bytes`.
pub(super) fn input<'a>(
    name: HiveName,
    path: &Path,
    bytes: &'a dyn HiveBytes,
    condition: &Condition,
) -> Result<HiveInput<'a>, Failure> {
    let hive = Hive::open(bytes).map_err(|error| {
        Failure::failed(format!("{}: {error}", shown(path)))
            .advising("The hive is damaged. Nothing was written. See what can be had again: hivemend mend TARGET --dry-run")
    })?;
    if let Some(Mistaken { seems, advice }) = mistaken(name, &hive) {
        let message = format!("{}: this is {seems}, and not {name}", shown(path));
        return Err(Failure::refused(message).advising(advice));
    }
    let path = Foreign::path(path);
    Ok(HiveInput::new(name, path, hive, condition.clone()))
}

/// What must be said of hives that were recovered, or were not.
pub(super) fn condition_warnings<'a>(
    hives: impl Iterator<Item = (HiveName, &'a Condition)>,
) -> Vec<String> {
    let unrecovered = hives.filter(|(_, condition)| **condition == Condition::Unrecovered);
    unrecovered
        .map(|(name, _)| {
            format!(
                "{name} could not be recovered from its transaction logs and is taken as it is: \
                 what Windows wrote last is missing from it, and where that write was half-way, \
                 keys may be in a state that never existed"
            )
        })
        .collect()
}

/// Which control sets are meant by what was typed.
pub(super) fn selection(text: &str) -> Result<Selection, Failure> {
    match text {
        "each" => return Ok(Selection::Each),
        "current" => return Ok(Selection::Current),
        _ => {}
    }
    let numbers = text.split(',').map(|number| {
        let number = number.trim();
        let digits = number
            .get(..10)
            .filter(|prefix| prefix.eq_ignore_ascii_case("ControlSet"));
        let digits = digits.map_or(number, |prefix| number.get(prefix.len()..).unwrap_or(""));
        digits
            .parse::<u16>()
            .ok()
            .filter(|number| (1..=999).contains(number))
    });
    let numbers: Option<Vec<u16>> = numbers.collect();
    numbers.map(Selection::Numbers).ok_or_else(|| {
        Failure::usage(format!("{} names no control set", quoted(text)))
            .advising("Write each, current, or numbers such as 1,2.")
    })
}
