// SPDX-License-Identifier: GPL-3.0-or-later
//! `find`: where a word stands in the names and texts of a registry.

use std::path::Path;

use super::args::FindArgs;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupted;
use super::output::Output;
use super::source::Source;
use super::target::{Found, OpenHive, Wanted, input};
use crate::machine::{Condition, HiveInput, Met, Walk, Word};
use crate::profile::HiveName;
use crate::regf::NodePath;
use crate::report::{Match, Matches, Unread, find_end, find_json, match_line};
use crate::text::unescape;

pub(super) fn run(args: &FindArgs, output: &Output) -> Result<Exit, Failure> {
    let word = unescape(&args.word);
    let Some(wanted) = Word::new(&word) else {
        return Err(
            Failure::usage("an empty word is everywhere").advising("Name what to look for.")
        );
    };
    let found = Found::from_args(&args.target).map_err(|failure| swapped(args, failure))?;
    interrupted::warn(&found.target, None, output)?;
    let mut missed = None;
    let hives = open_all(&found, &mut missed, output)?;
    let mut search = Search {
        word: wanted,
        limit: usize::try_from(args.limit).unwrap_or(usize::MAX),
        matches: Matches::default(),
    };
    if output.is_json() {
        let mut all = Vec::new();
        for hive in &hives {
            let looked = search.look_in(hive, args, output, &mut |found| all.push(found));
            go_on(hive.name, looked, &mut missed, output);
        }
        search.matches.not_searched = missed
            .iter()
            .flat_map(|missed| missed.hives.clone())
            .collect();
        output.json(&find_json(&search.matches, &all, &word, found.name.raw()));
    } else {
        output.print_pieces(|out| {
            for hive in &hives {
                let looked =
                    search.look_in(hive, args, output, &mut |found| out(&match_line(&found)));
                go_on(hive.name, looked, &mut missed, output);
            }
            let hives = missed.iter().flat_map(|missed| missed.hives.clone());
            search.matches.not_searched = hives.collect();
            if !output.quiet {
                out(&find_end(&search.matches, &word));
            }
        });
    }
    if let Some(missed) = missed {
        return Ok(missed.exit);
    }
    let Matches { found, unread, .. } = &search.matches;
    match (found, unread.is_empty()) {
        (0, true) => Ok(Exit::Found),
        (0, false) => {
            output.warn("nothing was found, but not everything could be read: hivemend check names the damage");
            Ok(Exit::Failed)
        }
        _ => Ok(Exit::Done),
    }
}

/// Hives that were not searched, and how a search without them ends.
struct Missed {
    hives: Vec<(HiveName, String)>,
    exit: Exit,
}

/// Every hive that can be opened; those that cannot are said, and noted.
fn open_all(
    found: &Found,
    missed: &mut Option<Missed>,
    output: &Output,
) -> Result<Vec<OpenHive>, Failure> {
    let mut hives = Vec::new();
    for (name, path) in found.hives() {
        match Source::open(&path.path, &path.logs) {
            Ok(source) => hives.push(OpenHive {
                name,
                source,
                is_needed: true,
            }),
            Err(failure) => go_on(name, Err(failure), missed, output),
        }
    }
    if found.hives().next().is_none() {
        found.open(&Wanted::only(HiveName::ALL.to_vec()), output)?;
    }
    Ok(hives)
}

/// A hive that cannot be searched keeps nobody from searching the other.
fn go_on(
    hive: HiveName,
    looked: Result<(), Failure>,
    missed: &mut Option<Missed>,
    output: &Output,
) {
    let Err(failure) = looked else { return };
    let exit = failure.exit;
    let why = failure.sentence();
    output.complain(&failure.context(format!("{hive} was not searched")));
    let missed = missed.get_or_insert(Missed {
        hives: Vec::new(),
        exit,
    });
    missed.hives.push((hive, why));
}

/// Who names the target first has two words in the wrong order.
fn swapped(args: &FindArgs, failure: Failure) -> Failure {
    match Path::new(&args.word).exists() {
        true => failure.advising("The word comes first: hivemend find WORD TARGET"),
        false => failure,
    }
}

struct Search {
    word: Word,
    /// Matches that are listed at most.
    limit: usize,
    matches: Matches,
}

impl Search {
    fn look_in(
        &mut self,
        open: &OpenHive,
        args: &FindArgs,
        output: &Output,
        out: &mut dyn FnMut(Match),
    ) -> Result<(), Failure> {
        let view = open.source.view(args.unrecovered.accept_unrecovered)?;
        let input = input(open.name, &open.source.path, view.bytes(), &view.condition)?;
        match &view.condition {
            Condition::Clean => {}
            Condition::Recovered(recovery) => output.note(&recovery.text),
            Condition::Unrecovered => {
                output.warn(&format!("{} is dirty and was not recovered", open.name));
            }
        }
        let mut unread = Vec::new();
        self.walk(&input, &mut unread, out)?;
        if !unread.is_empty() {
            self.matches.unread.push((open.name, unread));
        }
        Ok(())
    }

    fn walk(
        &mut self,
        input: &HiveInput<'_>,
        unread: &mut Vec<Unread>,
        out: &mut dyn FnMut(Match),
    ) -> Result<(), Failure> {
        let hive = input.name;
        let root = input
            .hive
            .root()
            .map_err(|source| Failure::from(crate::machine::MachineError::Regf { hive, source }))?;
        let mut walk = Walk::from(&input.hive, NodePath::root(), &root);
        while let Some(met) = walk.next() {
            self.look_at(hive, &met, &mut walk, unread, out);
        }
        Ok(())
    }

    fn look_at(
        &mut self,
        hive: HiveName,
        met: &Met<'_>,
        walk: &mut Walk<'_, '_>,
        unread: &mut Vec<Unread>,
        out: &mut dyn FnMut(Match),
    ) {
        let mut left_out = |why: String| {
            unread.push(Unread {
                key: met.path.clone(),
                why,
            });
        };
        if let Some(trouble) = &met.trouble {
            left_out(trouble.to_string());
        }
        let Some(key) = &met.key else { return };
        let found = |value, in_name, in_data| Match {
            hive,
            key: met.path.clone(),
            value,
            in_name,
            in_data,
        };
        if met.path.name().is_some_and(|name| self.word.is_in(name)) {
            self.add(found(None, false, false), out);
        }
        let values = match walk.values(key) {
            Ok(values) => values,
            Err(trouble) => return left_out(trouble.to_string()),
        };
        let mut is_said = false;
        for at in values {
            let read = walk.value(at).and_then(|(name, value)| {
                let data = walk.data(&value)?;
                Ok((name, data))
            });
            let (name, value) = match read {
                Ok(read) => read,
                Err(trouble) => {
                    // The others may be sound; a sentence for each would help nobody.
                    if !std::mem::replace(&mut is_said, true) {
                        left_out(trouble.to_string());
                    }
                    continue;
                }
            };
            let (in_name, in_data) = (self.word.is_in(&name), self.word.is_in_text_of(&value));
            if in_name || in_data {
                self.add(found(Some((name, value)), in_name, in_data), out);
            }
        }
    }

    fn add(&mut self, found: Match, out: &mut dyn FnMut(Match)) {
        self.matches.found = self.matches.found.saturating_add(1);
        if self.matches.listed < self.limit {
            self.matches.listed = self.matches.listed.saturating_add(1);
            out(found);
        }
    }
}
