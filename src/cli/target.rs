// SPDX-License-Identifier: GPL-3.0-or-later
//! The target that was named, and its hives.

use std::path::Path;

use super::args::{HiveFiles, RiskArgs, TargetArgs};
use super::failure::Failure;
use super::output::Output;
use super::source::Source;
use crate::disk::{HivePath, Target, guard, shown};
use crate::plan::{Condition, HiveInput, Selection, control_sets};
use crate::profile::HiveName;
use crate::regf::{Hive, HiveBytes};

/// The bit of the base block's flags that says: kernel transactions are pending.
const PENDING_TRANSACTIONS: u32 = 1;

/// A target that was found, and what it was called.
pub(super) struct Found {
    pub(super) name: String,
    pub(super) target: Target,
}

impl Found {
    pub(super) fn new(name: String, target: Target) -> Self {
        Self { name, target }
    }

    pub(super) fn from_args(args: &TargetArgs) -> Result<Self, Failure> {
        Self::find(args.target.as_deref(), &args.files)
    }

    pub(super) fn find(target: Option<&Path>, files: &HiveFiles) -> Result<Self, Failure> {
        let (system, software) = (files.system.as_deref(), files.software.as_deref());
        let found = match target {
            Some(path) => Target::find(path)?,
            None => Target::files(system, software)?,
        };
        let names = target.into_iter().chain(system).chain(software);
        let names: Vec<String> = names.map(|path| path.display().to_string()).collect();
        Ok(Self {
            name: names.join(", "),
            target: found,
        })
    }

    /// The first of the typed words is the target, unless hives were named one by one.
    pub(super) fn from_words<'w>(
        words: &'w [String],
        files: &HiveFiles,
    ) -> Result<(Self, &'w [String]), Failure> {
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
        let system = self
            .target
            .system
            .iter()
            .map(|path| (HiveName::System, path));
        let software = self
            .target
            .software
            .iter()
            .map(|path| (HiveName::Software, path));
        system.chain(software)
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
        match self.target.hibernation() {
            Ok(None) => {}
            Ok(Some(found)) => warnings.push(format!("{}: apply will refuse it", found.seen())),
            Err(error) => warnings.push(error.to_string()),
        }
        // Nearly every Windows has files in TxR: they matter where a hive says so.
        let has_logs = self.target.has_transactions().unwrap_or(false);
        let logs = if has_logs {
            ""
        } else {
            ", but its logs (config\\TxR) are not there"
        };
        for hive in hives {
            for log in hive.source.newer_logs() {
                warnings.push(format!(
                    "{} is clean, but older than {log}: it seems to be an older copy that was \
                     put here",
                    hive.name
                ));
            }
            if hive.source.file.base_block().flags & PENDING_TRANSACTIONS != 0 {
                warnings.push(format!(
                    "{} says that registry transactions are pending{logs}: Windows may still \
                     carry them out in it",
                    hive.name
                ));
            }
        }
        warnings
    }

    /// Opens those of the `wanted` hives that are there, with their logs: what is wrong with
    /// another hive is no reason to leave these alone.
    pub(super) fn open(&self, wanted: &[HiveName]) -> Result<Vec<OpenHive>, Failure> {
        let mut hives = Vec::new();
        for (name, path) in self.hives().filter(|(name, _)| wanted.contains(name)) {
            let source = Source::open(&path.path, &path.logs)?;
            hives.push(OpenHive { name, source });
        }
        if self.hives().next().is_none() {
            let config = shown(&self.target.config);
            let message = format!("{config}: there is no SYSTEM and no SOFTWARE hive here");
            return Err(Failure::refused(message).advising("hivemend never creates a hive."));
        }
        Ok(hives)
    }
}

/// A hive of the target, open but not read.
pub(super) struct OpenHive {
    pub(super) name: HiveName,
    pub(super) source: Source,
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
            .advising("The hive is damaged. Nothing was written.")
    })?;
    if name == HiveName::Software && control_sets(&hive).is_ok() {
        let message = format!("{}: this is a SYSTEM hive", shown(path));
        return Err(Failure::refused(message).advising("Name it with --system."));
    }
    Ok(HiveInput {
        name,
        path: path.display().to_string(),
        hive,
        condition: condition.clone(),
    })
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
        Failure::usage(format!("{text:?} names no control set"))
            .advising("Write each, current, or numbers such as 1,2.")
    })
}
