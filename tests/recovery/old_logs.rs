// SPDX-License-Identifier: GPL-3.0-or-later
//! Logs of the old format.

use super::*;

#[test]
fn an_old_log_is_applied_whatever_the_sectors_are() {
    for sector in [512, 4096] {
        for file_type in [1, 2] {
            let (primary, after, log) = old_write(sector, file_type);
            for name in ["SYSTEM.LOG", "SYSTEM.LOG1", "SYSTEM.LOG2"] {
                let recovered = recover_from(&primary, &[(name, &log)]).unwrap();
                let image = image_of(&recovered);
                assert_same(&image, &clean(&after, FIRST + 1));
                let applied = recovered.report().applied.as_ref().unwrap();
                assert_eq!(applied.format, LogFormat::Old);
                assert_eq!((applied.first, applied.last), (FIRST + 1, FIRST + 1));
            }
        }
    }
}

#[test]
fn an_old_log_of_another_write_is_not_applied() {
    let (primary, after, log) = old_write(512, 1);
    let empty = Vec::new();
    for time in [TIME, TIME + 10] {
        let other = at_time(&log, time, false);
        let logs = [("SYSTEM.LOG1", &other), ("SYSTEM.LOG2", &empty)];
        let report = refused(recover_from(&primary, &logs));
        let (log, hive) = (time, TIME + 9);
        let expected = Finding::OtherWrite { log, hive };
        assert_eq!(finding(&report, "SYSTEM.LOG1"), &expected);
    }
    let other = at_time(&log, TIME, false);
    let logs = [("SYSTEM.LOG1", &other), ("SYSTEM.LOG2", &log)];
    let recovered = recover_from(&primary, &logs).unwrap();
    assert_same(&image_of(&recovered), &clean(&after, FIRST + 1));
    let applied = recovered.report().applied.as_ref().unwrap();
    assert_eq!(applied.logs, ["SYSTEM.LOG2"]);
}

#[test]
fn behind_a_bad_base_block_an_old_log_must_not_be_older_than_the_first_bin() {
    let (mut primary, after, log) = old_write(512, 1);
    primary[508] ^= 1;
    // The first bin of the primary file has the time of the write before.
    let recovered = recover_from(&primary, &[("SYSTEM.LOG1", &log)]).unwrap();
    let report = recovered.report();
    assert_eq!(report.base_block_from.as_deref(), Some("SYSTEM.LOG1"));
    assert_same(&image_of(&recovered), &clean(&after, FIRST + 1));

    let older = at_time(&log, TIME - 1, false);
    let report = refused(recover_from(&primary, &[("SYSTEM.LOG1", &older)]));
    let (log_time, hive) = (TIME - 1, TIME);
    let expected = Finding::OtherWrite {
        log: log_time,
        hive,
    };
    assert_eq!(finding(&report, "SYSTEM.LOG1"), &expected);

    // Of two that are newer the newest is used: it holds what the other one has, too.
    let newer = at_time(&log, TIME + 20, false);
    let logs = [("SYSTEM.LOG1", &log), ("SYSTEM.LOG2", &newer)];
    let recovered = recover_from(&primary, &logs).unwrap();
    let report = recovered.report();
    assert_eq!(report.base_block_from.as_deref(), Some("SYSTEM.LOG2"));
}

#[test]
fn an_old_log_with_a_bad_bin_is_refused_whole() {
    let (primary, _, mut log) = old_write(512, 1);
    let at = (0..log.len()).step_by(512);
    let mut bins = at.filter(|&at| log[at..].starts_with(b"hbin"));
    let bin = bins.next_back().unwrap();
    log[bin + 4] ^= 0x10;
    let report = refused(recover_from(&primary, &[("SYSTEM.LOG1", &log)]));
    let Finding::Invalid(error) = finding(&report, "SYSTEM.LOG1") else {
        panic!("{report:?}");
    };
    assert_eq!(error.record, regf::Record::HiveBin);
}

#[test]
fn an_old_log_without_its_vector_or_its_pages_is_refused() {
    let (primary, _, log) = old_write(512, 1);
    let mut unsigned = log.clone();
    unsigned[512..516].copy_from_slice(b"INVL");
    let mut no_pages = log.clone();
    no_pages[516..1024].fill(0);
    let mut cluster = log.clone();
    set(&mut cluster, 44, 3);
    seal_base_block(&mut cluster);
    for (log, says) in [
        (&unsigned, "\"INVL\", not \"DIRT\""),
        (&no_pages, "number of dirty pages"),
        (&cluster, "clustering factor"),
    ] {
        let report = refused(recover_from(&primary, &[("SYSTEM.LOG1", log)]));
        let Finding::Invalid(error) = finding(&report, "SYSTEM.LOG1") else {
            panic!("{report:?}");
        };
        assert!(error.to_string().contains(says), "{error}");
    }
}

// ---- properties
