// SPDX-License-Identifier: GPL-3.0-or-later
//! Files in other languages: `profile import`, and where a profile is named.

use std::path::Path;

use super::args::{ImportArgs, ProfileCommand};
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::profile_text::write_profile;
use crate::disk::shown;
use crate::files::{self, FileError, Kind};
use crate::import::{
    CodePage, Draft, DraftWant, Format, Import, Mistake, Options, draft, read, recognise, undo_of,
};
use crate::profile::{self, HiveName, Library, Profile};
use crate::report::{ProfileHead, imported_yaml};
use crate::text::{Foreign, Text, escape};

/// What a file to import is read as.
const FOREIGN: Kind = Kind {
    what: "a file to import",
    limit: 16 << 20,
};

const CORRECT: &str = "Nothing was made of it. Say --correct to take what is meant: hivemend profile \
    import FILE --correct -o FILE.yaml. The lines themselves do something else.";

pub(super) fn run(command: &ProfileCommand, output: &Output) -> Result<Exit, Failure> {
    let ProfileCommand::Import(args) = command else {
        return Ok(Exit::Done);
    };
    let options = options(args)?;
    let mut imports = Vec::new();
    for file in &args.files {
        let (name, bytes) = (Foreign::path(file), bytes_of(file));
        let bytes =
            bytes.map_err(|error| Failure::usage(format!("{name}: could not be read: {error}")))?;
        imports.push(read(&bytes, name.raw(), &options)?);
    }
    tell(&imports, output);
    let mistakes: Vec<&Mistake> = imports.iter().flat_map(|import| &import.mistakes).collect();
    match args.correct {
        true => corrected(&mistakes, output),
        false => expect_none(&mistakes)?,
    }
    let draft = draft(&imports)?;
    for note in &draft.notes {
        output.note(note);
    }
    let text = yaml(&imports, &draft, args.id.as_deref());
    expect_profile(&text)?;
    write_profile(args.output.as_deref(), &text, output)
}

fn options(args: &ImportArgs) -> Result<Options, Failure> {
    let mut options = Options::default();
    for name in &args.system_mount {
        options.mounts.add(name, HiveName::System);
    }
    for name in &args.software_mount {
        options.mounts.add(name, HiveName::Software);
    }
    if let Some(page) = &args.code_page {
        options.code_page = CodePage::of(page).ok_or_else(|| {
            let known = CodePage::known().join(", ");
            Failure::usage(format!("{}: is no code page of {known}", escape(page)))
        })?;
    }
    Ok(options)
}

fn bytes_of(file: &Path) -> Result<Vec<u8>, FileError> {
    files::resolve(file).and_then(|place| files::read(&place, FOREIGN))
}

/// Says what was left out.
fn tell(imports: &[Import], output: &Output) {
    for import in imports {
        for note in &import.notes {
            output.note(note);
        }
        let skipped = import.skipped;
        if skipped > 0 {
            let lines = if skipped == 1 { "line is" } else { "lines are" };
            let what = match import.format {
                Format::Policy => "entries are without effect".to_owned(),
                _ => format!("{lines} no command, and left out"),
            };
            output.note(&format!("{}: {skipped} {what}", import.file));
        }
    }
}

fn corrected(mistakes: &[&Mistake], output: &Output) {
    for mistake in mistakes {
        output.warn(&format!("{mistake}; corrected"));
    }
}

/// Refuses files that do something else than they mean.
fn expect_none(mistakes: &[&Mistake]) -> Result<(), Failure> {
    if mistakes.is_empty() {
        return Ok(());
    }
    let count = match mistakes.len() {
        1 => "a known mistake is in it".to_owned(),
        many => format!("{many} known mistakes are in it"),
    };
    let mut lines = Text::new();
    lines.line(&count);
    for mistake in mistakes {
        lines.line(mistake);
    }
    Err(Failure::refused(count).in_lines(lines).advising(CORRECT))
}

/// The profile as text.
fn yaml(imports: &[Import], draft: &Draft, id: Option<&str>) -> String {
    let names: Vec<&str> = imports.iter().map(|import| import.file.raw()).collect();
    let first = names.first().copied().unwrap_or_default();
    let own = id.map_or_else(|| id_of(first), str::to_owned);
    let from = names.iter().map(|name| escape(name));
    let from = from.collect::<Vec<String>>().join(", ");
    let whats = imports.iter().map(|import| import.format.what());
    let what = whats.collect::<Vec<&str>>().join(", ");
    let values = draft.keys.iter().flat_map(|key| &key.values);
    let lowered: Vec<_> = values
        .filter(|value| value.lowers_security)
        .filter_map(|value| match &value.want {
            DraftWant::Data(data) => Some((value.name.as_str(), data)),
            _ => None,
        })
        .collect();
    let undo = undo_of(&lowered).filter(|undo| *undo != own);
    let head = ProfileHead {
        title: format!("What {from} says"),
        source: format!("{from} ({what}), by hivemend profile import"),
        undo: undo.map_or_else(|| "undo-of-import".to_owned(), str::to_owned),
        id: own,
    };
    imported_yaml(&head, draft)
}

/// An id made of a file's name.
fn id_of(file: &str) -> String {
    const LONGEST: usize = 48;
    let name = file.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let mut id = String::new();
    for c in stem.to_lowercase().chars().take(LONGEST) {
        match c.is_ascii_lowercase() || c.is_ascii_digit() {
            true => id.push(c),
            false if id.ends_with('-') => {}
            false => id.push('-'),
        }
    }
    let id = id.trim_matches('-');
    match id.starts_with(|c: char| c.is_ascii_lowercase()) {
        true => id.to_owned(),
        false => format!("imported-{id}").trim_end_matches('-').to_owned(),
    }
}

/// What is made must be a profile that can be used.
fn expect_profile(text: &str) -> Result<(), Failure> {
    let profile = profile::parse(text.as_bytes(), "imported")
        .map_err(|errors| Failure::from(errors).context("what was imported is no profile"))?;
    match profile::lint(&profile)
        .iter()
        .find(|lint| lint.level == profile::Level::Error)
    {
        Some(lint) => Err(Failure::failed(lint).in_lines(lint.text())),
        None => Ok(()),
    }
}

/// Loads profiles as [`profile::load_all`] does; a file in another language is one too.
pub(super) fn load_all(names: &[String], output: &Output) -> Result<Vec<Profile>, Failure> {
    let mut library = Library::default();
    for name in names {
        match foreign(name, output)? {
            Some(profile) => library.add_made(name, profile)?,
            None => library.add(name)?,
        }
    }
    Ok(library.into_profiles())
}

/// The profile that a file in another language makes; `None` for anything else.
fn foreign(name: &str, output: &Output) -> Result<Option<Profile>, Failure> {
    if profile::builtin().iter().any(|known| known.id == name) {
        return Ok(None);
    }
    // What cannot be read is told by who reads profiles.
    let Ok(bytes) = bytes_of(Path::new(name)) else {
        return Ok(None);
    };
    if recognise(&bytes).is_none() {
        return Ok(None);
    }
    let imports = [read(&bytes, name, &Options::default())?];
    tell(&imports, output);
    let [import] = &imports;
    expect_none(&import.mistakes.iter().collect::<Vec<&Mistake>>())?;
    let draft = draft(&imports)?;
    let text = yaml(&imports, &draft, None);
    let parsed = profile::parse(text.as_bytes(), name).map_err(|errors| {
        let doing = format!(
            "{}: what was imported is no profile",
            shown(Path::new(name))
        );
        Failure::from(errors).context(doing)
    });
    parsed.map(Some)
}
