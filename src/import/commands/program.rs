// SPDX-License-Identifier: GPL-3.0-or-later
//! A program's words as PowerShell hands them on.

use super::powershell::{Variables, arguments};
use super::ps_value::PsValue;
use super::word::{Quotes, Stop, Word, Words};

/// Takes a command apart, from `start` on.
pub(super) fn words(chars: &[char], start: usize, variables: &Variables) -> Words {
    let read = arguments(chars, start, variables);
    let mut words = Vec::new();
    let mut stop = read.stop;
    for argument in read.arguments {
        if let Some(name) = argument.name {
            words.push(plain(format!("-{name}")));
        }
        match argument.value {
            Some(PsValue::List { .. }) => stop = Stop::Variable("(...)".to_owned()),
            Some(value) => words.extend(value.text().map(plain)),
            None => {}
        }
    }
    Words {
        words,
        end: read.end,
        stop,
    }
}

fn plain(text: String) -> Word {
    Word {
        text,
        quotes: Quotes::Right,
    }
}
