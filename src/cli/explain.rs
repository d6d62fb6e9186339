// SPDX-License-Identifier: GPL-3.0-or-later
//! `explain`: what a code, an event, a name or an error message means, and what can be done.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::args::{ExplainArgs, HiveFiles, TargetArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::typed::commands_for;
use super::{diagnose, own_words};
use crate::diagnose::Finding;
use crate::explain::{Answer, Library, NotKnown};
use crate::report::{
    Explained, OnDisk, explain_json, explain_text, not_known_json, not_known_text,
};
use crate::text::{escape, shown};

/// Characters of a question that a message repeats.
const REPEATED: usize = 80;
/// Bytes of a file or of standard input that are read; what answers looks at fewer.
const READ: u64 = 1 << 20;

pub(super) fn run(args: &ExplainArgs, output: &Output) -> Result<Exit, Failure> {
    let asked = asked(args)?;
    if args.extended && !asked.chars().any(|c| c.is_ascii_digit()) {
        let message = "--extended is about a number, and there is none";
        return Err(Failure::usage(message).advising("Write: hivemend explain --extended 7"));
    }
    let library = Library::built_in().map_err(Failure::failed)?;
    let own = own_words::entries(&asked)?;
    let answer = match library.look_up(&asked, args.extended, &own) {
        Ok(answer) => answer,
        Err(not_known) => return Ok(unknown(&asked, &not_known, output)),
    };
    let answer = own_words::detailed(answer)?;
    let on_disk = args.on.as_deref();
    let on_disk = on_disk
        .map(|target| on(target, &answer, args, output))
        .transpose()?;
    let explained = Explained {
        answer: &answer,
        on_disk: on_disk.as_ref(),
    };
    match output.is_json() {
        true => output.json(&explain_json(&asked, &explained)),
        false => output.print(&explain_text(&explained)),
    }
    Ok(Exit::Done)
}

/// What was typed, or what stands in the file or comes from standard input.
fn asked(args: &ExplainArgs) -> Result<String, Failure> {
    if let Some(path) = &args.file {
        let failed =
            |error: io::Error| Failure::usage(format!("{} cannot be read: {error}", shown(path)));
        return Ok(text(
            &read(File::open(path).map_err(failed)?).map_err(failed)?,
        ));
    }
    match args.what.as_slice() {
        [only] if only == "-" => {
            let failed = |error: io::Error| {
                Failure::usage(format!("standard input cannot be read: {error}"))
            };
            Ok(text(&read(io::stdin().lock()).map_err(failed)?))
        }
        words => Ok(words.join(" ")),
    }
}

fn read(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(READ).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// UTF-16 where its mark or its zeros say so, else UTF-8; what is neither becomes a sign.
fn text(bytes: &[u8]) -> String {
    let zeros = |odd: usize| {
        let bytes = bytes.iter().take(256).enumerate();
        bytes
            .filter(|(at, byte)| at % 2 == odd && **byte == 0)
            .count()
    };
    let units = |from_bytes: fn([u8; 2]) -> u16, bytes: &[u8]| {
        let units = bytes
            .chunks_exact(2)
            .filter_map(|pair| pair.try_into().ok());
        let units: Vec<u16> = units.map(from_bytes).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => units(u16::from_le_bytes, rest),
        [0xFE, 0xFF, rest @ ..] => units(u16::from_be_bytes, rest),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ if zeros(1) > bytes.len().min(256) / 4 => units(u16::from_le_bytes, bytes),
        _ if zeros(0) > bytes.len().min(256) / 4 => units(u16::from_be_bytes, bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// What `diagnose` finds on the disk that the answer's profiles would mend.
fn on(
    target: &Path,
    answer: &Answer<'_>,
    args: &ExplainArgs,
    output: &Output,
) -> Result<OnDisk, Failure> {
    let arguments = TargetArgs {
        target: Some(target.to_owned()),
        files: HiveFiles::default(),
    };
    let accept_unrecovered = args.unrecovered.accept_unrecovered;
    let examined = diagnose::examine(&arguments, &[], None, accept_unrecovered, output)?;
    let diagnosis = examined.diagnosis;
    // That of the likeliest entry; what it may also be has other causes.
    let entries = answer.entries.iter().take(1);
    let named: Vec<&str> = entries
        .flat_map(|found| &found.entry.profiles)
        .map(|profile| profile.id.as_str())
        .collect();
    let is_ours = |finding: &&Finding| {
        let mut profiles = finding.profiles.iter().chain(&finding.also);
        profiles.any(|id| named.contains(&id.as_str()))
    };
    let (ours, others): (Vec<Finding>, Vec<Finding>) = diagnosis
        .findings
        .into_iter()
        .partition(|finding| is_ours(&finding));
    Ok(OnDisk {
        target: examined.found.name,
        ours,
        others,
        is_complete: diagnosis.is_complete,
        warnings: diagnosis.warnings,
        commands: commands_for(&arguments),
    })
}

/// What cannot be explained is a word that the command does not know, as an unknown profile is; a
/// script is told what is nearest all the same.
fn unknown(asked: &str, not_known: &NotKnown, output: &Output) -> Exit {
    let trimmed = asked.trim();
    let mut repeated: String = trimmed.chars().take(REPEATED).collect();
    if repeated.len() < trimmed.len() {
        repeated.push_str("...");
    }
    let lines = not_known_text(&escape(&repeated), not_known);
    output.complain(&Failure::usage("there is no explanation").in_lines(lines));
    if output.is_json() {
        output.json(&not_known_json(asked, not_known));
    }
    Exit::Usage
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pasted_files_are_read_in_their_encoding() {
        let want = "Fehler 1068: Abhängigkeit";
        let units: Vec<u16> = want.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let marked = |mark: &[u8], bytes: &[u8]| [mark, bytes].concat();
        for bytes in [
            want.as_bytes().to_vec(),
            marked(&[0xEF, 0xBB, 0xBF], want.as_bytes()),
            marked(&[0xFF, 0xFE], &little),
            marked(&[0xFE, 0xFF], &big),
            little,
            big,
        ] {
            assert_eq!(text(&bytes), want);
        }
        assert_eq!(text(&[]), "");
        assert_eq!(text(b"caf\xE9 516"), "caf\u{fffd} 516");
    }
}
