// SPDX-License-Identifier: GPL-3.0-or-later
//! The target that was named, and its hives.

use std::path::{Path, PathBuf};

use super::args::{HiveFiles, TargetArgs};
use super::failure::Failure;
use crate::disk::{Dirt, HiveFile, HivePath, HiveState, Target, shown};
use crate::plan::{HiveInput, Selection, control_sets};
use crate::profile::HiveName;
use crate::regf::{Hive, HiveBytes};

/// A target that was found, and what it was called.
pub(super) struct Found {
    pub(super) name: String,
    pub(super) target: Target,
}

impl Found {
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

    /// Opens every hive that is there; each must be clean.
    pub(super) fn open(&self) -> Result<Vec<OpenHive>, Failure> {
        let mut hives = Vec::new();
        for (name, path) in self.hives() {
            hives.push(OpenHive::open(name, &path.path)?);
        }
        if hives.is_empty() {
            let config = shown(&self.target.config);
            let message = format!("{config}: there is no SYSTEM and no SOFTWARE hive here");
            return Err(Failure::refused(message).advising("hivemend never creates a hive."));
        }
        Ok(hives)
    }
}

/// A hive whose pages are read as they are needed.
pub(super) struct OpenHive {
    pub(super) name: HiveName,
    pub(super) path: PathBuf,
    pub(super) file: HiveFile,
}

impl OpenHive {
    fn open(name: HiveName, path: &Path) -> Result<Self, Failure> {
        let file = HiveFile::open(path)?;
        expect_clean(name, &file)?;
        let path = path.to_path_buf();
        Ok(Self { name, path, file })
    }

    /// The hive for a plan, read from `bytes`.
    pub(super) fn input<'a>(&self, bytes: &'a dyn HiveBytes) -> Result<HiveInput<'a>, Failure> {
        let hive = Hive::open(bytes).map_err(|error| {
            Failure::failed(format!("{}: {error}", shown(&self.path)))
                .advising("The hive is damaged. Nothing was written.")
        })?;
        if self.name == HiveName::Software && control_sets(&hive).is_ok() {
            let message = format!("{}: this is a SYSTEM hive", shown(&self.path));
            return Err(Failure::refused(message).advising("Name it with --system."));
        }
        Ok(HiveInput {
            name: self.name,
            path: self.path.display().to_string(),
            hive,
        })
    }
}

/// The newest data of a dirty hive is in its transaction logs, and a log that is applied later
/// would undo what is written now.
fn expect_clean(name: HiveName, file: &HiveFile) -> Result<(), Failure> {
    let what = match file.state() {
        HiveState::Clean => return Ok(()),
        HiveState::Dirty(Dirt::Sequence { primary, secondary }) => {
            format!("its last write was not completed (sequence numbers {primary} and {secondary})")
        }
        HiveState::Dirty(Dirt::Checksum { stored, computed }) => {
            format!(
                "the checksum of its base block is {stored:#010x} and should be {computed:#010x}"
            )
        }
    };
    let message = format!("{}: {name} is dirty: {what}", shown(file.path()));
    Err(Failure::refused(message).advising(
        "Its newest data is in its transaction logs, which this version does not apply yet. \
         Start that Windows once and shut it down fully (powercfg /h off first), then try again.",
    ))
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
