// SPDX-License-Identifier: GPL-3.0-or-later
//! Logs at the edges of what is allowed: entries with right hashes that make no sense, single sectors,
//! files of exactly the length that a log may have. Mutation testing found these looked at by no test.

use hivemend::regf::{Fault, longest_log};

use super::findings::last_bin;
use super::*;

/// The first two states, and the log with the entry between them.
fn one_step() -> (Vec<u8>, NewLog) {
    let states = states();
    (interrupted(&states[0]), log_of(&states[..2], FIRST))
}

fn bytes_of(log: &NewLog) -> (&str, &Vec<u8>) {
    ("SYSTEM.LOG1", &log.bytes)
}

/// Whoever can write a log can give it right hashes, too.
#[test]
fn an_entry_that_makes_no_sense_ends_the_recovery_whatever_its_hashes_say() {
    type Harm = fn(&mut [u8], u32);
    const OFFSET: usize = 40;
    const SIZE: usize = 44;
    let harms: [(&str, Harm); 11] = [
        ("size", |entry, _| set(entry, 4, 0)),
        ("size", |entry, _| {
            let size = u32_of(entry, 4);
            set(entry, 4, size - 4);
        }),
        ("hive bins data size", |entry, _| set(entry, 16, 0)),
        ("dirty pages count", |entry, _| set(entry, 20, 0)),
        ("dirty pages count", |entry, _| set(entry, 20, 1 << 16)),
        ("dirty page offset", |entry, _| set(entry, OFFSET, 4)),
        ("dirty page offset", |entry, bins| set(entry, OFFSET, bins)),
        ("dirty page size", |entry, bins| {
            set(entry, OFFSET, bins - 512);
        }),
        ("dirty page size", |entry, _| set(entry, SIZE, 0)),
        ("dirty page size", |entry, _| set(entry, SIZE, 4092)),
        // More than the entry holds, though not more than the hive.
        ("dirty page size", |entry, _| {
            set(entry, 16, 1 << 20);
            set(entry, SIZE, 1 << 16);
        }),
    ];
    for (at, (field, harm)) in harms.into_iter().enumerate() {
        let (primary, mut log) = one_step();
        let bins = u32_of(&primary, 40);
        let entry = log.entry_mut(0);
        assert_eq!(u32_of(entry, SIZE), 4096);
        harm(entry, bins);
        seal_entry(entry);
        let report = refused(recover_from(&primary, &[bytes_of(&log)]));
        let Stop::Invalid(error) = stop(&report, "SYSTEM.LOG1") else {
            panic!("{at}: {report}");
        };
        match error.fault {
            Fault::BadField { field: found, .. } => assert_eq!(found, field, "{at}"),
            _ => panic!("{at}: {error}"),
        }
    }
}

/// The last page may end where the entry does.
#[test]
fn an_entry_without_a_byte_to_spare_is_applied() {
    const COUNT: usize = 59;
    assert!((40 + COUNT * 8).is_multiple_of(512));
    let after = with_value(&states()[4], "Setup", "Long", &[0xB6; 40_000]);
    let pages = (0..COUNT).map(|page| page * 512);
    let pages: Vec<(usize, &[u8])> = pages.map(|at| (at, &after[4096 + at..][..512])).collect();
    let mut before = after.clone();
    before[4096..4096 + COUNT * 512].fill(0);
    let size = u32_of(&after, 40);
    let log = NewLog::new(&after, FIRST).raw_entry(&pages, size, 0, FIRST);
    assert_eq!(log.bytes.len(), 512 + 512 + COUNT * 512);
    let primary = interrupted(&before);
    let recovered = recover_from(&primary, &[bytes_of(&log)]).unwrap();
    assert_eq!(stop(recovered.report(), "SYSTEM.LOG1"), &Stop::End);
    assert_same(&image_of(&recovered), &clean(&after, FIRST));
}

/// An entry of which only the first sector was written is one that is torn, and not the log's end.
#[test]
fn one_sector_of_an_entry_is_a_torn_entry() {
    let (primary, log) = one_step();
    let cut = log.bytes[..log.entries[0] + 512].to_vec();
    let report = refused(recover_from(&primary, &[("SYSTEM.LOG1", &cut)]));
    let (sequence, need, have) = (FIRST, (log.bytes.len() - 512) as u64, 512);
    let torn = Stop::Torn {
        sequence,
        need,
        have,
    };
    assert_eq!(stop(&report, "SYSTEM.LOG1"), &torn);
}

#[allow(clippy::type_complexity)]
/// Windows logs pages of 4096 bytes; the format allows single sectors, and a bin's header fits in one.
#[test]
fn a_bad_bin_of_which_one_sector_came_is_found() {
    let state = &states()[2];
    let (size, last) = (u32_of(state, 40), last_bin(state));
    let garbage = [0x77; 512];
    let before = &state[4096 + last - 512..4096 + last];
    let cases: [(usize, Vec<(usize, &[u8])>); 3] = [
        (0, vec![(0, &garbage)]),
        (last, vec![(last, &garbage)]),
        (last, vec![(last - 512, before), (last, &garbage)]),
    ];
    for (bad, pages) in cases {
        let primary = interrupted(state);
        let log = NewLog::new(state, FIRST).raw_entry(&pages, size, 0, FIRST);
        let recovered = recover_from(&primary, &[bytes_of(&log)]).unwrap();
        assert_eq!(recovered.report().dummy_bins, [CellOffset(bad as u32)]);
    }
}

/// What takes a bad bin's place is a header, one free cell, and nothing else.
#[test]
fn an_empty_bin_is_empty_and_none_stands_behind_the_last() {
    let state = &states()[0];
    let bins = u32_of(state, 40);
    let (primary, first) = (interrupted(state), &state[4096..8192]);
    let garbage = [0x77; 4096];
    let (place, behind) = (bins as usize, bins as usize + 4096);
    // The hive has two bins more for a while, both bad, and then one.
    let grown: [(usize, &[u8]); 3] = [(0, first), (place, &garbage), (behind, &garbage)];
    let log = NewLog::new(state, FIRST)
        .raw_entry(&grown, bins + 8192, 0, FIRST)
        .raw_entry(&[(0, first)], bins + 4096, 0, FIRST + 1);
    let recovered = recover_from(&primary, &[bytes_of(&log)]).unwrap();
    assert_eq!(recovered.report().dummy_bins, [CellOffset(bins)]);
    let image = image_of(&recovered);
    assert_eq!(image.len(), 4096 + behind);
    let mut expected = vec![0; 4096];
    expected[..4].copy_from_slice(b"hbin");
    for (at, field) in [(4, bins), (8, 4096), (32, 4064)] {
        set(&mut expected, at, field);
    }
    assert_same(&image[4096 + place..], &expected);
    // What came for the bin that is no more is not read either.
    let end = image.len() as u64;
    let beyond = recovered.read(FileOffset(end - 4), 8).unwrap_err();
    assert_eq!(beyond.fault, Fault::Truncated { need: 8, have: 4 });
}

#[test]
fn half_a_sector_of_the_primary_file_is_a_hole() {
    let states = states();
    let mut primary = interrupted(&states[2]);
    let first = &states[2][4096..8192];
    let size = u32_of(&states[2], 40);
    let log = NewLog::new(&states[2], FIRST).raw_entry(&[(0, first)], size, 0, FIRST);
    let whole = primary.len();
    primary.truncate(whole - 100);
    let report = refused(recover_from(&primary, &[bytes_of(&log)]));
    let obstacle = report.obstacle.unwrap();
    assert_eq!(obstacle.at, FileOffset(whole as u64 - 512), "{obstacle}");
}

// ---- base blocks of logs

#[test]
fn whichever_number_of_a_half_written_log_is_greater_is_gone_beyond() {
    let states = states();
    let primary = interrupted(&states[0]);
    for (begun, completed) in [(FIRST + 50, FIRST + 49), (FIRST + 49, FIRST + 50)] {
        let mut log = log_of(&states[..2], FIRST).bytes;
        set(&mut log, 4, begun);
        set(&mut log, 8, completed);
        seal_base_block(&mut log);
        let report = refused(recover_from(&primary, &[("SYSTEM.LOG1", &log)]));
        let (primary, secondary) = (begun, completed);
        let half = Finding::HalfWritten { primary, secondary };
        assert_eq!(finding(&report, "SYSTEM.LOG1"), &half);
        assert_eq!(report.last_sequence(), FIRST + 50);
    }
}

/// Windows clears the first sector of a log that it is done with.
#[test]
fn a_log_whose_first_sector_is_cleared_is_empty() {
    let (primary, log) = one_step();
    let mut cleared = log.bytes.clone();
    cleared[..512].fill(0);
    let report = refused(recover_from(&primary, &[("SYSTEM.LOG1", &cleared)]));
    assert_eq!(finding(&report, "SYSTEM.LOG1"), &Finding::Empty);
    cleared[511] = 1;
    let report = refused(recover_from(&primary, &[("SYSTEM.LOG1", &cleared)]));
    match finding(&report, "SYSTEM.LOG1") {
        Finding::Invalid(error) => assert_eq!(error.at, FileOffset(0)),
        other => panic!("{other}"),
    }
}

#[test]
fn a_log_of_another_version_of_the_format_is_none() {
    let (primary, log) = one_step();
    // Major version, file format, size of the bins.
    for (at, field) in [(20, 2), (32, 2), (40, 100)] {
        let mut other = log.bytes.clone();
        set(&mut other, at, field);
        seal_base_block(&mut other);
        let report = refused(recover_from(&primary, &[("SYSTEM.LOG1", &other)]));
        assert!(matches!(
            finding(&report, "SYSTEM.LOG1"),
            Finding::Invalid(_)
        ));
    }
    let mut other = log.bytes.clone();
    other[508] ^= 1;
    let report = refused(recover_from(&primary, &[("SYSTEM.LOG1", &other)]));
    match finding(&report, "SYSTEM.LOG1") {
        Finding::Invalid(error) => assert_eq!(error.at, FileOffset(0)),
        other => panic!("{other}"),
    }
}

#[test]
fn a_log_of_exactly_the_greatest_length_is_applied() {
    let (primary, log) = one_step();
    let longest = longest_log(primary.len() as u64);
    let mut bytes = log.bytes.clone();
    bytes.resize(longest as usize, 0);
    recover_from(&primary, &[("SYSTEM.LOG1", &bytes)]).unwrap();
    bytes.push(0);
    let empty = Vec::new();
    // One log that is too long is enough, whatever the other one is.
    let logs = [("SYSTEM.LOG1", &bytes), ("SYSTEM.LOG2", &empty)];
    let report = refused(recover_from(&primary, &logs));
    let size = longest + 1;
    let too_long = Finding::TooLong { size, longest };
    assert_eq!(finding(&report, "SYSTEM.LOG1"), &too_long);
    assert!(report.has_too_long_log());
    assert!(report.to_string().contains("too long to be believed"));
}

/// Who publishes the hive goes beyond the last number; where there are no logs there is none.
#[test]
fn without_logs_there_is_no_number_to_go_beyond() {
    let clean = clean(&states()[0], FIRST);
    let recovered = recover_from(&clean, &[]).unwrap();
    assert_eq!(recovered.report().last_sequence(), 0);
}

/// One from before what the hive holds is not needed. Behind a bad base block nobody knows what it holds.
#[test]
fn a_log_that_is_too_long_stands_in_the_way_only_where_windows_would_apply_it() {
    let states = states();
    let longest = longest_log(states[0].len() as u64) as usize;
    let good = log_of(&states[..2], FIRST).bytes;
    let long = |sequence| {
        let mut log = log_of(&states[..2], sequence).bytes;
        log.resize(longest + 1, 0);
        log
    };
    let mut bad_base = interrupted(&states[0]);
    bad_base[508] ^= 1;
    let dirty = interrupted(&states[0]);
    for (primary, sequence, is_in_the_way) in [
        (&dirty, FIRST, true),
        (&dirty, FIRST + 1, true),
        (&dirty, FIRST - 1, false),
        (&bad_base, FIRST - 1, true),
    ] {
        let long = long(sequence);
        let logs = [("SYSTEM.LOG1", &good), ("SYSTEM.LOG2", &long)];
        let recovered = recover_from(primary, &logs);
        assert_eq!(recovered.is_err(), is_in_the_way, "{sequence}");
    }
}

#[test]
fn a_log_of_the_old_format_that_is_too_long_stands_in_the_way_if_it_is_of_this_write() {
    let (primary, _, log) = old_write(512, 1);
    let longest = longest_log(primary.len() as u64) as usize;
    for (time, is_in_the_way) in [(TIME + 9, true), (TIME + 10, false)] {
        let mut long = at_time(&log, time, false);
        long.resize(longest + 1, 0);
        let logs = [("SYSTEM.LOG1", &log), ("SYSTEM.LOG2", &long)];
        let recovered = recover_from(&primary, &logs);
        assert_eq!(recovered.is_err(), is_in_the_way, "{time}");
    }
}

// ---- which logs are used

/// The states of a hive that grows first and then changes in its first page only.
fn grows_then_changes() -> [Vec<u8>; 3] {
    let base = with_value(&empty_hive(), "Select", "Current", &[1, 0, 0, 0]);
    let grown = with_value(&base, "Setup", "Blob", &[0xB1; 9000]);
    let changed = with_value(&grown, "Select", "Current", &[2, 0, 0, 0]);
    [base, grown, changed]
}

/// What the earlier log brings is in no page of the later one.
#[test]
fn behind_a_bad_base_block_the_earlier_log_is_needed() {
    let [base, grown, changed] = grows_then_changes();
    let mut primary = interrupted(&base);
    primary[508] ^= 1;
    let earlier = log_of(&[base, grown.clone()], FIRST).bytes;
    let later = log_of(&[grown, changed.clone()], FIRST + 1).bytes;
    let logs = [("SYSTEM.LOG1", &earlier), ("SYSTEM.LOG2", &later)];
    let recovered = recover_from(&primary, &logs).unwrap();
    assert_same(&image_of(&recovered), &clean(&changed, FIRST + 1));
}

/// What does not count is said of each log that is not applied, in the words for that.
#[test]
fn logs_behind_a_gap_are_not_used_and_neither_is_one_that_leads_nowhere() {
    let states = states();
    let primary = interrupted(&states[0]);
    let [first, second, third] = [FIRST, FIRST + 10, FIRST + 20].map(|sequence| {
        let log = log_of(&states[..2], sequence);
        log.bytes
    });
    let logs = [
        ("SYSTEM.LOG1", &first),
        ("SYSTEM.LOG2", &second),
        ("SYSTEM.LOG3", &third),
    ];
    let recovered = recover_from(&primary, &logs).unwrap();
    let report = recovered.report();
    let (expected, found) = (FIRST + 1, FIRST + 10);
    let gap = Finding::Gap { expected, found };
    assert_eq!(finding(report, "SYSTEM.LOG2"), &gap);
    let unused = Finding::NotUsed(NotUsed::OtherLog);
    assert_eq!(finding(report, "SYSTEM.LOG3"), &unused);

    // Behind a bad base block the newest alone counts, where nothing leads up to it.
    let mut primary = interrupted(&states[0]);
    primary[508] ^= 1;
    let recovered = recover_from(&primary, &logs[..2]).unwrap();
    let report = recovered.report();
    assert_eq!(report.base_block_from.as_deref(), Some("SYSTEM.LOG2"));
    assert_eq!(finding(report, "SYSTEM.LOG1"), &unused);
}

/// And yet whoever publishes the hive goes beyond it.
#[test]
fn a_newer_log_of_another_hive_is_not_applied() {
    let states = states();
    let primary = interrupted(&states[0]);
    let own = log_of(&states[..2], FIRST).bytes;
    let mut other = log_of(&states[..3], FIRST + 5).bytes;
    other[48] = b'x'; // its name is cut at the front: this is not the part that counts
    let name = other[48..112]
        .chunks_exact(2)
        .rposition(|unit| unit != [0, 0]);
    other[48 + 2 * name.unwrap()] = b'x';
    seal_base_block(&mut other);
    let logs = [("SYSTEM.LOG1", &own), ("SYSTEM.LOG2", &other)];
    let recovered = recover_from(&primary, &logs).unwrap();
    let report = recovered.report();
    let field = "file name";
    assert_eq!(
        finding(report, "SYSTEM.LOG2"),
        &Finding::OtherHive { field }
    );
    assert_eq!(report.last_sequence(), FIRST + 6);
}

// ---- the base block of the recovered hive

/// Only its first 512 bytes are guarded, and only those come from a log.
#[test]
fn behind_the_guarded_bytes_a_sound_base_block_stays_and_a_bad_one_does_not() {
    let (mut primary, log) = one_step();
    primary[512..4096].fill(0x5A);
    let recovered = recover_from(&primary, &[bytes_of(&log)]).unwrap();
    assert!(
        image_of(&recovered)[512..4096]
            .iter()
            .all(|byte| *byte == 0x5A)
    );
    primary[508] ^= 1;
    let recovered = recover_from(&primary, &[bytes_of(&log)]).unwrap();
    assert!(
        image_of(&recovered)[512..4096]
            .iter()
            .all(|byte| *byte == 0)
    );
}

// ---- the old format

/// Windows writes whole pages; the bitmap is of sectors, and what is logged need not lie together.
#[test]
fn single_sectors_of_an_old_log_go_where_their_bits_say() {
    let (_, after, log) = old_write(512, 1);
    let wanted = [1, 3, 4, 5, 9, 15];
    let mut short = log[..512].to_vec();
    let mut bitmap = vec![0_u8; u32_of(&after, 40) as usize / 4096];
    let mut before = after.clone();
    for sector in wanted {
        bitmap[sector / 8] |= 1 << (sector % 8);
        before[4096 + sector * 512..][..512].fill(0xEE);
    }
    short.extend_from_slice(b"DIRT");
    short.extend_from_slice(&bitmap);
    short.resize(1024, 0);
    for sector in wanted {
        short.extend_from_slice(&after[4096 + sector * 512..][..512]);
    }
    let primary = dirty(&before, FIRST + 1, FIRST);
    let recovered = recover_from(&primary, &[("SYSTEM.LOG1", &short)]).unwrap();
    assert_same(&image_of(&recovered), &clean(&after, FIRST + 1));
    let count = wanted.len() as u64;
    let report = recovered.report();
    assert_eq!(finding(report, "SYSTEM.LOG1"), &Finding::Pages { count });
    assert_eq!(report.applied.as_ref().unwrap().count, count);

    short.pop();
    let (need, have) = (short.len() as u64 + 1, short.len() as u64);
    let report = refused(recover_from(&primary, &[("SYSTEM.LOG1", &short)]));
    let cut = Finding::Incomplete { need, have };
    assert_eq!(finding(&report, "SYSTEM.LOG1"), &cut);
}

/// A log of the very write that was interrupted is better than one that is newer.
#[test]
fn behind_a_bad_base_block_the_old_log_of_the_first_bins_time_comes_first() {
    let (mut primary, _, log) = old_write(512, 1);
    primary[508] ^= 1;
    let same = at_time(&log, TIME, false);
    let newer = at_time(&log, TIME + 20, false);
    for logs in [
        [("SYSTEM.LOG1", &newer), ("SYSTEM.LOG2", &same)],
        [("SYSTEM.LOG2", &same), ("SYSTEM.LOG1", &newer)],
    ] {
        let recovered = recover_from(&primary, &logs).unwrap();
        let report = recovered.report();
        assert_eq!(report.base_block_from.as_deref(), Some("SYSTEM.LOG2"));
    }
}

/// The number is the log's own, also where it has just begun again.
#[test]
fn behind_a_bad_base_block_the_old_logs_number_may_be_0() {
    let (mut primary, _, mut log) = old_write(512, 1);
    primary[508] ^= 1;
    for at in [4, 8] {
        set(&mut log, at, 0);
    }
    seal_base_block(&mut log);
    let recovered = recover_from(&primary, &[("SYSTEM.LOG1", &log)]).unwrap();
    let image = image_of(&recovered);
    assert_eq!((u32_of(&image, 4), u32_of(&image, 8)), (0, 0));
}

#[test]
fn an_old_log_with_no_page_says_so() {
    let (primary, _, mut log) = old_write(512, 1);
    log[516..1024].fill(0);
    let report = refused(recover_from(&primary, &[("SYSTEM.LOG1", &log)]));
    let Finding::Invalid(error) = finding(&report, "SYSTEM.LOG1") else {
        panic!("{report}");
    };
    let (field, found) = ("number of dirty pages", 0);
    assert_eq!(error.fault, Fault::BadField { field, found });
    assert_eq!(error.at, FileOffset(512));
}
