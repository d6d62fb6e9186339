// SPDX-License-Identifier: GPL-3.0-or-later
//! What is to be run, as the variables say. `docs/mutation-testing.md` lists them.

use std::time::{Duration, Instant};

pub(crate) struct Wanted {
    files: Vec<String>,
    again: Vec<String>,
    shard: (u32, u32),
    filter: Vec<String>,
    skip: Vec<String>,
    time: (Duration, Duration),
    end: Option<Instant>,
    pub(crate) jobs: u32,
    /// What a survivor is called in the results.
    pub(crate) survived: String,
}

impl Wanted {
    /// # Errors
    ///
    /// A variable is not as it should be.
    pub(crate) fn new() -> Result<Self, String> {
        let minutes: Option<u64> = number("MUTANTS_MINUTES")?;
        Ok(Self {
            files: words("MUTANTS_FILES"),
            again: words("MUTANTS_AGAIN"),
            shard: pair("MUTANTS_SHARD", '/')?.unwrap_or((0, 1)),
            filter: words("MUTANTS_FILTER"),
            skip: words("MUTANTS_SKIP"),
            time: pair("MUTANTS_TIME", '-')?.map_or((Duration::ZERO, Duration::MAX), |(least, most)| {
                (Duration::from_millis(least.into()), Duration::from_millis(most.into()))
            }),
            end: minutes.map(|minutes| Instant::now() + Duration::from_secs(minutes * 60)),
            jobs: number("MUTANTS_JOBS")?.unwrap_or(1),
            survived: std::env::var("MUTANTS_SURVIVED").unwrap_or_else(|_| "survived".to_owned()),
        })
    }

    /// Whether this mutation is to be run, of which an earlier run said that it ended like this.
    pub(crate) fn is_wanted(&self, number: u32, line: &str, end: Option<&String>) -> bool {
        let (shard, shards) = self.shard;
        let is_open = match end {
            None => self.again.is_empty(),
            Some(end) => self.again.contains(end),
        };
        is_open && number % shards == shard && any(&self.files, line)
    }

    pub(crate) fn is_test(&self, name: &str) -> bool {
        any(&self.filter, name) && !self.skip.iter().any(|word| name.contains(word))
    }

    pub(crate) fn is_time(&self, time: Duration) -> bool {
        (self.time.0..self.time.1).contains(&time)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.end.is_some_and(|end| Instant::now() > end)
    }
}

fn any(words: &[String], text: &str) -> bool {
    words.is_empty() || words.iter().any(|word| text.contains(word))
}

fn words(variable: &str) -> Vec<String> {
    let value = std::env::var(variable).unwrap_or_default();
    let words = value.split(',').filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

fn number<T: std::str::FromStr>(variable: &str) -> Result<Option<T>, String> {
    let Ok(text) = std::env::var(variable) else {
        return Ok(None);
    };
    let number = text.parse().map_err(|_| format!("{variable} is no number: {text}"))?;
    Ok(Some(number))
}

fn pair(variable: &str, between: char) -> Result<Option<(u32, u32)>, String> {
    let Ok(text) = std::env::var(variable) else {
        return Ok(None);
    };
    let pair = text.split_once(between).and_then(|(one, other)| Some((one.parse().ok()?, other.parse().ok()?)));
    pair.map(Some).ok_or_else(|| format!("{variable} is not two numbers with {between} between: {text}"))
}
