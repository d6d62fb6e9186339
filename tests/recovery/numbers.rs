// SPDX-License-Identifier: GPL-3.0-or-later
//! Sequence numbers at their edges: where they begin again at 0, and which of two counts.

use hivemend::log::mark_clean;

use super::*;

#[test]
fn a_log_from_before_the_numbers_began_again_is_older() {
    let states = states();
    let primary = dirty(&states[2], 5, 4);
    let older = log_of(&states[..3], u32::MAX - 1).bytes;
    let current = log_of(&states[2..], 4).bytes;
    for order in [[0, 1], [1, 0]] {
        let logs = [("SYSTEM.LOG1", &older), ("SYSTEM.LOG2", &current)];
        let logs = order.map(|index| logs[index]);
        let recovered = recover_from(&primary, &logs).unwrap();
        let (log, hive) = (u32::MAX - 1, 4);
        let expected = Finding::Older { log, hive };
        assert_eq!(finding(recovered.report(), "SYSTEM.LOG1"), &expected);
        assert_same(&image_of(&recovered), &clean(&states[4], 5));
    }
    let report = refused(recover_from(&primary, &[("SYSTEM.LOG1", &older)]));
    assert!(matches!(
        finding(&report, "SYSTEM.LOG1"),
        Finding::Older { .. }
    ));
}

#[test]
fn a_log_from_behind_the_beginning_is_not_older() {
    let states = states();
    let primary = dirty(&states[0], u32::MAX, u32::MAX - 1);
    for first in [u32::MAX - 1, u32::MAX, 0, 1, 500] {
        let log = log_of(&states, first).bytes;
        let recovered = recover_from(&primary, &[("SYSTEM.LOG1", &log)]).unwrap();
        let image = clean(&states[4], first.wrapping_add(3));
        assert_same(&image_of(&recovered), &image);
    }
}

/// Whichever log comes first, and wherever among them the numbers begin again.
#[test]
fn logs_are_put_in_order_around_the_beginning() {
    let states = states();
    let quarter = (1 << 30) - 1;
    let edges = [u32::MAX - 3, u32::MAX - 1, u32::MAX, (1 << 31) - 2, 7];
    for first in edges.into_iter().chain([quarter, quarter + (1 << 31)]) {
        let primary = dirty(&states[0], first.wrapping_add(1), first);
        let earlier = log_of(&states[..3], first).bytes;
        let later = log_of(&states[2..], first.wrapping_add(2)).bytes;
        for (one, two) in [(&earlier, &later), (&later, &earlier)] {
            let logs = [("SYSTEM.LOG1", one), ("SYSTEM.LOG2", two)];
            let recovered = recover_from(&primary, &logs).unwrap();
            let last = first.wrapping_add(3);
            assert_same(&image_of(&recovered), &clean(&states[4], last));
            let applied = recovered.report().applied.as_ref().unwrap();
            assert_eq!((applied.first, applied.count), (first, 4));
        }
    }
}

#[test]
fn entries_left_from_before_the_beginning_are_stale() {
    let states = states();
    let primary = dirty(&states[0], 2, 1);
    let old = log_of(&states, u32::MAX - 1).bytes;
    let fresh = NewLog::new(&states[0], 1).entry(&states[0], &states[1], 1);
    let earlier = NewLog {
        bytes: old,
        entries: Vec::new(),
    };
    let log = fresh.over(&earlier).bytes;
    let recovered = recover_from(&primary, &[("SYSTEM.LOG1", &log)]).unwrap();
    let found = u32::MAX;
    let stale = Stop::Stale { found };
    assert_eq!(stop(recovered.report(), "SYSTEM.LOG1"), &stale);
    assert_same(&image_of(&recovered), &clean(&states[1], 1));
}

#[test]
fn a_gap_at_the_beginning_is_one() {
    let states = states();
    let primary = dirty(&states[0], 0, u32::MAX);
    let log = NewLog::new(&states[0], u32::MAX)
        .entry(&states[0], &states[1], u32::MAX)
        .entry(&states[1], &states[2], 1);
    let recovered = recover_from(&primary, &[("SYSTEM.LOG1", &log.bytes)]).unwrap();
    let (expected, found) = (0, 1);
    let gap = Stop::Gap { expected, found };
    assert_eq!(stop(recovered.report(), "SYSTEM.LOG1"), &gap);
    assert_same(&image_of(&recovered), &clean(&states[1], u32::MAX));
}

/// The greater number: an entry with the smaller one would apply again.
#[test]
fn a_hive_that_is_taken_as_it_is_has_the_greater_of_its_numbers() {
    let state = &states()[1];
    for (primary, secondary) in [(9, 5), (5, 9), (7, 7)] {
        let mut image = dirty(state, primary, secondary);
        mark_clean(&mut image);
        let last = primary.max(secondary);
        assert_same(&image, &clean(state, last));
    }
}

/// The write that was begun, or the one that the log was made for: whichever is later.
#[test]
fn an_old_log_leaves_the_greater_number() {
    let (primary, after, log) = old_write(512, 1);
    for (begun, last) in [
        (FIRST + 7, FIRST + 7),
        (FIRST, FIRST + 1),
        (FIRST + 1, FIRST + 1),
    ] {
        let primary = dirty(&primary, begun, begun - 1);
        let recovered = recover_from(&primary, &[("SYSTEM.LOG1", &log)]).unwrap();
        assert_same(&image_of(&recovered), &clean(&after, last));
        let applied = recovered.report().applied.as_ref().unwrap();
        assert_eq!((applied.first, applied.last), (FIRST + 1, FIRST + 1));
    }
}
