// SPDX-License-Identifier: GPL-3.0-or-later
//! How long phases took, told now and then.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// Times are printed no more often than this; shorter phases in between are added up.
const TOLD_EACH: Duration = Duration::from_millis(100);

/// What was not told of times yet.
#[derive(Default)]
pub(super) struct Times {
    told: Cell<Option<Instant>>,
    held: Cell<(u32, Duration)>,
}

impl Times {
    /// The line about a phase that took `time`, unless one was told just now.
    pub(super) fn line(&self, what: &str, time: Duration) -> Option<String> {
        let now = Instant::now();
        let (count, sum) = self.held.get();
        let just_now = |told| now.duration_since(told) < TOLD_EACH;
        if time < TOLD_EACH && self.told.get().is_some_and(just_now) {
            let held = (count.saturating_add(1), sum.saturating_add(time));
            self.held.set(held);
            return None;
        }
        self.told.set(Some(now));
        Some(format!(
            "{}{:>9.3} s  {what}",
            self.rest()
                .map_or(String::new(), |rest| format!("{rest}\n")),
            time.as_secs_f64()
        ))
    }

    /// The line about phases that were not told of.
    pub(super) fn rest(&self) -> Option<String> {
        let (count, sum) = self.held.take();
        let seconds = sum.as_secs_f64();
        (count > 0).then(|| format!("{seconds:>9.3} s  {count} short phases more"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_now_and_then() {
        let times = Times::default();
        let short = Duration::from_millis(3);
        assert_eq!(times.line("one", short).unwrap(), "    0.003 s  one");
        assert_eq!(times.line("two", short), None);
        assert_eq!(times.line("three", short), None);
        let long = times.line("four", Duration::from_secs(2)).unwrap();
        assert_eq!(long, "    0.006 s  2 short phases more\n    2.000 s  four");
        assert_eq!(times.line("five", short), None);
        assert_eq!(times.rest().unwrap(), "    0.003 s  1 short phases more");
        assert_eq!(times.rest(), None);
    }
}
