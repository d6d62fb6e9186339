// SPDX-License-Identifier: GPL-3.0-or-later
//! What is found in a file while it is read.

use super::decode::CodePage;
use super::key::{Resolved, Written, resolve};
use super::known;
use super::mistake::{Mistake, MistakeKind};
use super::mounts::Mounts;
use super::operation::{Deed, Operation};
use super::place::Place;
use super::trouble::{ImportErrors, Trouble};
use crate::profile::{Data, Deed as Never, forbidden};
use crate::text::escape;

/// The most operations of a file.
const MAX_OPERATIONS: usize = 50_000;
/// The most lines that are named one by one.
const MAX_NOTES: usize = 20;

/// Collects what one file says.
pub(super) struct Collector<'f> {
    pub(super) file: &'f str,
    pub(super) page: CodePage,
    pub(super) mounts: Mounts,
    pub(super) operations: Vec<Operation>,
    pub(super) mistakes: Vec<Mistake>,
    pub(super) notes: Vec<String>,
    /// Lines that are no commands.
    pub(super) skipped: usize,
    pub(super) errors: ImportErrors,
    /// The comment right above.
    pub(super) remark: Option<String>,
    pub(super) written: Written,
}

impl<'f> Collector<'f> {
    pub(super) fn new(file: &'f str, page: CodePage, mounts: Mounts, written: Written) -> Self {
        Self {
            file,
            page,
            mounts,
            operations: Vec::new(),
            mistakes: Vec::new(),
            notes: Vec::new(),
            skipped: 0,
            errors: ImportErrors::default(),
            remark: None,
            written,
        }
    }

    /// Whether a program wrote the file: what is in it is meant as it stands there.
    pub(super) fn is_by_program(&self) -> bool {
        self.written == Written::ByProgram
    }

    /// Adds an operation on the key that is written as `key`.
    pub(super) fn add(&mut self, key: &str, deed: Deed, at: Place) {
        let path = match resolve(key, &self.mounts, self.written) {
            Ok(Resolved { path, mistakes }) => {
                for kind in mistakes {
                    self.mistake(kind, key, at);
                }
                path
            }
            Err((message, hint)) => return self.refuse(at, message, hint),
        };
        let never = match &deed {
            Deed::CreateKey | Deed::DeleteAllValues => forbidden(&path, Never::Touch),
            Deed::DeleteKey => forbidden(&path, Never::DeleteKey),
            Deed::DeleteValue { name } => forbidden(&path, Never::DeleteValue(name)),
            Deed::SetValue { name, data } => {
                forbidden(&path, Never::SetValue(name, data.kind(), &data.bytes()))
            }
        };
        if let Some(never) = never {
            let message = format!("{}: {}", escape(key), never.reason);
            return self.refuse(at, message, never.hint);
        }
        if self.operations.len() >= MAX_OPERATIONS {
            let message = format!("more than {MAX_OPERATIONS} operations in one file");
            return self.refuse(at, message, "divide the file");
        }
        self.operations.push(Operation {
            key: key.to_owned(),
            path,
            deed,
            at,
            remark: self.remark.clone(),
        });
    }

    /// Adds a value as it is stored in a hive.
    pub(super) fn add_stored(&mut self, key: &str, name: &str, kind: u32, bytes: &[u8], at: Place) {
        const LINK: u32 = 6;
        let what = crate::profile::kind_name(kind);
        let what = what.map_or_else(|| format!("type {kind:#x}"), str::to_owned);
        if kind == LINK {
            let message = format!("the value `{name}` is a {what}, which redirects a key");
            return self.refuse(at, message, "hivemend makes no links: leave it out");
        }
        match Data::from_stored(kind, bytes) {
            Some(data) => {
                let name = name.to_owned();
                self.add(key, Deed::SetValue { name, data }, at);
            }
            None => {
                let message = format!(
                    "the data of `{name}` is no {what}: its length is wrong, or its end is missing"
                );
                let hint =
                    "a profile says whole numbers and texts only: mend the data, or leave it out";
                self.refuse(at, message, hint);
            }
        }
    }

    /// Names a mistake.
    pub(super) fn mistake(&mut self, kind: MistakeKind, written: &str, at: Place) {
        self.mistakes.push(Mistake {
            file: self.file.into(),
            at,
            kind,
            written: written.into(),
        });
    }

    /// A number that is text because no type was named, where that is known to be wrong.
    pub(super) fn is_number_as_text(&self, name: &str) -> bool {
        known::is_number(name)
    }

    /// Names what cannot be imported.
    pub(super) fn refuse(
        &mut self,
        at: Place,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.errors.add(Trouble {
            file: self.file.into(),
            at: Some(at),
            message: message.into(),
            hint: hint.into(),
        });
    }

    /// Says something besides.
    pub(super) fn note(&mut self, at: Place, text: &str) {
        if self.notes.len() < MAX_NOTES {
            let file = escape(self.file);
            self.notes.push(format!("{file}:{at}: {text}"));
        }
    }

    /// Keeps the comment for what comes right below it.
    pub(super) fn comment(&mut self, text: &str) {
        const LONGEST: usize = 300;
        let text = text.trim();
        let kept: String = text.chars().take(LONGEST).collect();
        self.remark = (!kept.is_empty()).then_some(kept);
    }
}
