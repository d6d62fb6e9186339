// SPDX-License-Identifier: GPL-3.0-or-later
//! `find`: where a word stands in the names and texts of a registry.

use std::path::Path;

use super::args::FindArgs;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupted;
use super::output::Output;
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
    let hives = found.open(&Wanted::only(HiveName::ALL.to_vec()), output)?;
    let mut search = Search {
        word: wanted,
        limit: usize::try_from(args.limit).unwrap_or(usize::MAX),
        matches: Matches::default(),
    };
    if output.is_json() {
        let mut all = Vec::new();
        for hive in &hives {
            search.look_in(hive, args, output, &mut |found| all.push(found))?;
        }
        output.json(&find_json(&search.matches, &all, &word, found.name.raw()));
    } else {
        let mut ended = Ok(());
        output.print_pieces(|out| {
            let mut hives = hives.iter();
            ended = hives.try_for_each(|hive| {
                search.look_in(hive, args, output, &mut |found| out(&match_line(&found)))
            });
            if ended.is_ok() && !output.quiet {
                out(&find_end(&search.matches, &word));
            }
        });
        ended?;
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
