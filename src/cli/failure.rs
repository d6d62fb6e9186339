// SPDX-License-Identifier: GPL-3.0-or-later
//! A command that did not do what it was asked: how it ends, why, and what can be done.

use std::borrow::Cow;
use std::io::{self, ErrorKind};
use std::path::Path;

use anyhow::anyhow;

use super::exit::Exit;
use crate::disk::{DiskError, is_failing, not_allowed, shown};
use crate::edit::EditError;
use crate::import::ImportErrors;
use crate::machine::MachineError;
use crate::plan::PlanError;
use crate::profile::{Conflicts, ProfileErrors, SettingError};
use crate::report::{ExportError, PlanJsonError, outdated_text};
use crate::store::{StoreError, StoreFault, Touched};
use crate::text::Text;
use crate::verify::VerifyError;

/// What an input/output error asks for.
const DISK_FAILS: &str = "The disk, or its file system, is damaged there. If the disk may be failing, \
    copy it first, and repair the copy; else run chkdsk on the volume in Windows (ntfsfix does not do \
    what it does), then run this again.";

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(super) struct Failure {
    /// How the process ends.
    pub(super) exit: Exit,
    /// What happened.
    pub(super) error: anyhow::Error,
    /// What the user can do; empty where the error says it.
    pub(super) advice: Cow<'static, str>,
    /// What happened, where that is more than one line.
    pub(super) lines: Option<Text>,
    /// Whether it is no error, but what somebody wanted.
    pub(super) is_wish: bool,
}

impl Failure {
    pub(super) fn new(exit: Exit, message: impl std::fmt::Display) -> Self {
        let error = anyhow!("{message}");
        Self {
            exit,
            error,
            advice: Cow::Borrowed(""),
            lines: None,
            is_wish: false,
        }
    }

    /// Somebody said no; nothing went wrong.
    pub(super) fn declined(sentence: impl std::fmt::Display) -> Self {
        Self {
            is_wish: true,
            ..Self::refused(sentence)
        }
    }

    pub(super) fn usage(message: impl std::fmt::Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub(super) fn refused(message: impl std::fmt::Display) -> Self {
        Self::new(Exit::Refused, message)
    }

    pub(super) fn failed(message: impl std::fmt::Display) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// A file of the user's own could not be read or written.
    pub(super) fn io(file: &Path, action: &str, error: &io::Error) -> Self {
        let message = format!("{}: could not {action}: {error}", shown(file));
        match error.kind() {
            ErrorKind::PermissionDenied => Self::refused(message).advising(not_allowed()),
            _ => Self::failed(message).advising(advice_on(error)),
        }
    }

    pub(super) fn advising(mut self, advice: impl Into<Cow<'static, str>>) -> Self {
        self.advice = advice.into();
        self
    }

    /// Gives the lines in which it is told to people.
    pub(super) fn in_lines(mut self, lines: Text) -> Self {
        self.lines = Some(lines);
        self
    }

    /// Says in front of the error what was being done.
    pub(super) fn context(mut self, doing: impl std::fmt::Display) -> Self {
        let doing = doing.to_string();
        self.lines = self.lines.map(|lines| {
            let mut all = Text::new();
            all.part(format_args!("{doing}: "));
            all.append(&lines);
            all
        });
        self.error = self.error.context(doing);
        self
    }

    /// What happened, with its causes.
    pub(super) fn sentence(&self) -> String {
        let mut causes = self.error.chain().map(ToString::to_string);
        let mut sentence = causes.next().unwrap_or_default();
        // An error that is transparent repeats its cause.
        for cause in causes {
            if !sentence.contains(&cause) {
                sentence = format!("{sentence}: {cause}");
            }
        }
        sentence
    }

    fn from_error(exit: Exit, error: impl std::error::Error + Send + Sync + 'static) -> Self {
        let error = anyhow::Error::new(error);
        Self {
            exit,
            error,
            advice: Cow::Borrowed(""),
            lines: None,
            is_wish: false,
        }
    }
}

impl From<DiskError> for Failure {
    fn from(error: DiskError) -> Self {
        let exit = if error.is_refusal() {
            Exit::Refused
        } else {
            Exit::Failed
        };
        let advice = match &error {
            DiskError::Io { source, .. } | DiskError::Unreadable { source, .. } => {
                advice_besides(source)
            }
            _ => "",
        };
        Self::from_error(exit, error).advising(advice)
    }
}

impl From<MachineError> for Failure {
    fn from(error: MachineError) -> Self {
        let (exit, advice) = match &error {
            MachineError::Regf { .. } => (
                Exit::Failed,
                "The hive is damaged or the disk cannot be read there. Nothing was written. What can be \
                 had of a damaged hive shows: hivemend mend TARGET --dry-run",
            ),
            MachineError::NoCurrent { .. } | MachineError::NoSuchControlSet { .. } => {
                (Exit::Usage, "")
            }
            _ => (Exit::Refused, ""),
        };
        Self::from_error(exit, error).advising(advice)
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        let advice = match error {
            PlanError::Machine(error) => return Self::from(error),
            PlanError::Outdated(changed) => {
                return Self::refused(outdated_text(&changed))
                    .advising("Nothing was written. Make a new plan and review it again.");
            }
            PlanError::Forbidden { .. } => {
                "Nothing was written. What no profile may ask for, no plan may do either."
            }
            _ => "",
        };
        Self::from_error(Exit::Refused, error).advising(advice)
    }
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        let (exit, advice) = match &error {
            EditError::Unsound(_) => (
                Exit::Refused,
                "Nothing was written. See what can be had again with hivemend mend TARGET --dry-run, and all \
                 that is damaged with hivemend check TARGET. Where the damage \
                 is nowhere near the changes, go on with --accept-damage.",
            ),
            EditError::Unsafe(_)
            | EditError::InDamage { .. }
            | EditError::ListInDamage(_)
            | EditError::InReach { .. }
            | EditError::NoGrowth { .. }
            | EditError::KeyLost(_) => (
                Exit::Refused,
                "Nothing was written: the edit could make the damage worse. Mend the hive first: \
                 hivemend mend TARGET",
            ),
            EditError::Regf(_) | EditError::Damaged(_) | EditError::Broken => {
                (Exit::Failed, "Nothing was written.")
            }
            _ => (Exit::Refused, "Nothing was written."),
        };
        Self::from_error(exit, error).advising(advice)
    }
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        let advice = "Nothing was written. Please report this: two readers must agree.";
        Self::from_error(Exit::Failed, error).advising(advice)
    }
}

impl From<ProfileErrors> for Failure {
    fn from(error: ProfileErrors) -> Self {
        let lines = error.text();
        Self::from_error(Exit::Usage, error).in_lines(lines)
    }
}

impl From<ImportErrors> for Failure {
    fn from(error: ImportErrors) -> Self {
        let lines = error.text();
        Self::from_error(Exit::Usage, error).in_lines(lines)
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        Self::from_error(Exit::Refused, error).advising("Nothing was written.")
    }
}

impl From<SettingError> for Failure {
    fn from(error: SettingError) -> Self {
        Self::from_error(Exit::Usage, error)
    }
}

impl From<Conflicts> for Failure {
    fn from(error: Conflicts) -> Self {
        let lines = error.text();
        Self::from_error(Exit::Usage, error).in_lines(lines)
    }
}

impl From<PlanJsonError> for Failure {
    fn from(error: PlanJsonError) -> Self {
        Self::from_error(Exit::Usage, error)
            .advising("Write a plan with: hivemend plan TARGET -p PROFILE -o FILE")
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match error.touched {
            Touched::NeedsRestore => Exit::NeedsRestore,
            Touched::Untouched if error.is_refusal() => Exit::Refused,
            Touched::Untouched | Touched::HivesUntouched => Exit::Failed,
        };
        let advice = match &error.fault {
            StoreFault::ChangedSince { .. } => {
                "Undo only hivemend's own values, and keep the rest, with: hivemend restore TARGET --values"
            }
            StoreFault::Interrupted { .. } => {
                "Settle it: hivemend restore TARGET undoes it, and hivemend apply TARGET with its \
                 profiles finishes it."
            }
            fault => fault.io_error().map_or("", advice_besides),
        };
        Self::from_error(exit, error).advising(advice)
    }
}

/// The same where the error has a sentence of its own on Windows.
fn advice_besides(error: &io::Error) -> &'static str {
    match cfg!(windows) && error.kind() == ErrorKind::PermissionDenied {
        true => "",
        false => advice_on(error),
    }
}

/// What can be done about what the operating system said.
fn advice_on(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "Make room on that volume; or put the backup on another one with --backup-dir."
        }
        ErrorKind::PermissionDenied => not_allowed(),
        ErrorKind::ReadOnlyFilesystem => {
            "Mount the volume read-write. If it became read-only by itself, its file system or the \
             disk is damaged: find that out first."
        }
        _ if is_failing(error) => DISK_FAILS,
        _ => "",
    }
}
