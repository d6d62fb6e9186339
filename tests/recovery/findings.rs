// SPDX-License-Identifier: GPL-3.0-or-later
//! Logs of the new format, entry by entry.

use super::*;

#[test]
fn a_clean_hive_ignores_its_logs() {
    let states = states();
    let log = log_of(&states, FIRST).bytes;
    let recovered = recover_from(&states[0], &[("SYSTEM.LOG1", &log)]).unwrap();
    assert!(recovered.was_clean());
    let report = recovered.report();
    assert_eq!(report.state, HiveState::Clean);
    let unused = Finding::NotUsed(NotUsed::HiveIsClean);
    assert_eq!(finding(report, "SYSTEM.LOG1"), &unused);
    assert_eq!(report.to_string(), "clean: nothing to recover");
    assert_eq!(report.last_sequence(), FIRST + 3);
    assert_same(&image_of(&recovered), &states[0]);
}

#[test]
fn entries_of_both_logs_are_applied_whichever_comes_first() {
    let states = states();
    let primary = interrupted(&states[0]);
    let earlier = log_of(&states[..3], FIRST).bytes;
    let later = log_of(&states[2..], FIRST + 2).bytes;
    let orders = [
        [("SYSTEM.LOG1", &earlier), ("SYSTEM.LOG2", &later)],
        [("SYSTEM.LOG1", &later), ("SYSTEM.LOG2", &earlier)],
        [("SYSTEM.LOG2", &later), ("SYSTEM.LOG1", &earlier)],
    ];
    let said = [
        "recovered: 4 entries from SYSTEM.LOG1, SYSTEM.LOG2 (40..43)",
        "recovered: 4 entries from SYSTEM.LOG2, SYSTEM.LOG1 (40..43)",
        "recovered: 4 entries from SYSTEM.LOG1, SYSTEM.LOG2 (40..43)",
    ];
    for (order, said) in orders.into_iter().zip(said) {
        let recovered = recover_from(&primary, &order).unwrap();
        assert_eq!(recovered.report().to_string(), said);
        assert_eq!(recovered.report().last_sequence(), FIRST + 3);
        assert_same(&image_of(&recovered), &clean(&states[4], FIRST + 3));
    }
}

#[test]
fn entries_need_not_follow_the_primary_files_number() {
    let states = states();
    let primary = interrupted(&states[0]);
    let log = log_of(&states, 2107).bytes;
    let recovered = recover_from(&primary, &[("SYSTEM.LOG1", &log)]).unwrap();
    assert_same(&image_of(&recovered), &clean(&states[4], 2110));
}

#[test]
fn sequence_numbers_begin_again_at_0() {
    let states = states();
    let primary = dirty(&states[0], u32::MAX, u32::MAX - 1);
    let earlier = log_of(&states[..3], u32::MAX - 1).bytes;
    let later = log_of(&states[2..], 0).bytes;
    let logs = [("SYSTEM.LOG1", &later), ("SYSTEM.LOG2", &earlier)];
    let recovered = recover_from(&primary, &logs).unwrap();
    assert_same(&image_of(&recovered), &clean(&states[4], 1));
}

#[test]
fn an_entry_torn_in_its_middle_ends_the_recovery() {
    let states = states();
    let primary = interrupted(&states[0]);
    let mut log = log_of(&states, FIRST);
    let torn = log.entries[2] + 1000;
    log.bytes.truncate(torn);
    let recovered = recover_from(&primary, &[("SYSTEM.LOG1", &log.bytes)]).unwrap();
    let report = recovered.report();
    let sequence = FIRST + 2;
    assert!(
        matches!(stop(report, "SYSTEM.LOG1"), Stop::Torn { sequence: s, .. } if *s == sequence),
        "{report:?}"
    );
    assert_eq!(report.last_sequence(), FIRST + 2);
    assert_same(&image_of(&recovered), &clean(&states[2], FIRST + 1));
}

#[test]
fn a_bad_hash_ends_the_recovery() {
    let states = states();
    let primary = interrupted(&states[0]);
    let body = (
        600,
        Stop::BadHash1 {
            sequence: FIRST + 2,
        },
    );
    let header = (
        8,
        Stop::BadHash2 {
            expected: FIRST + 2,
        },
    );
    for (at, expected) in [body, header] {
        let mut log = log_of(&states, FIRST);
        log.entry_mut(2)[at] ^= 1;
        let recovered = recover_from(&primary, &[("SYSTEM.LOG2", &log.bytes)]).unwrap();
        assert_eq!(stop(recovered.report(), "SYSTEM.LOG2"), &expected);
        // The entry behind the bad one is still there, and the hive must go beyond it.
        assert_eq!(recovered.report().last_sequence(), FIRST + 3);
        assert_same(&image_of(&recovered), &clean(&states[2], FIRST + 1));
    }
}

#[test]
fn a_bins_size_that_is_no_multiple_of_4096_ends_the_recovery() {
    let states = states();
    let primary = interrupted(&states[0]);
    let mut log = log_of(&states[..3], FIRST);
    let entry = log.entry_mut(1);
    let size = u32_of(entry, 16);
    set(entry, 16, size + 512);
    seal_entry(entry);
    let recovered = recover_from(&primary, &[("SYSTEM.LOG1", &log.bytes)]).unwrap();
    let Stop::Invalid(error) = stop(recovered.report(), "SYSTEM.LOG1") else {
        panic!("{:?}", recovered.report());
    };
    assert!(error.to_string().contains("hive bins data size"), "{error}");
    assert_same(&image_of(&recovered), &clean(&states[1], FIRST));
}

#[test]
fn a_gap_ends_the_recovery() {
    let states = states();
    let primary = interrupted(&states[0]);
    let log = NewLog::new(&states[0], FIRST)
        .entry(&states[0], &states[1], FIRST)
        .entry(&states[1], &states[2], FIRST + 2);
    let recovered = recover_from(&primary, &[("SYSTEM.LOG1", &log.bytes)]).unwrap();
    let (expected, found) = (FIRST + 1, FIRST + 2);
    let gap = Stop::Gap { expected, found };
    assert_eq!(stop(recovered.report(), "SYSTEM.LOG1"), &gap);
    assert_same(&image_of(&recovered), &clean(&states[1], FIRST));

    // The same between two logs.
    let earlier = log_of(&states[..2], FIRST).bytes;
    let later = log_of(&states[2..], FIRST + 2).bytes;
    let logs = [("SYSTEM.LOG1", &earlier), ("SYSTEM.LOG2", &later)];
    let recovered = recover_from(&primary, &logs).unwrap();
    let gap = Finding::Gap { expected, found };
    assert_eq!(finding(recovered.report(), "SYSTEM.LOG2"), &gap);
    assert_eq!(recovered.report().last_sequence(), FIRST + 3);
    assert_same(&image_of(&recovered), &clean(&states[1], FIRST));
}

#[test]
fn a_later_log_is_not_applied_where_the_earlier_ones_entries_are_lost() {
    let states = states();
    let primary = interrupted(&states[0]);
    let mut earlier = log_of(&states[..3], FIRST);
    earlier.entry_mut(0)[600] ^= 1;
    let later = log_of(&states[2..], FIRST + 2).bytes;
    let logs = [("SYSTEM.LOG1", &earlier.bytes), ("SYSTEM.LOG2", &later)];
    let report = refused(recover_from(&primary, &logs));
    assert_eq!(
        report.to_string(),
        "the hive is dirty (write 41 was begun, but only 40 was completed) and no log applies: \
         SYSTEM.LOG1: no entry applied, then entry 40 was not wholly written (hash-1); \
         SYSTEM.LOG2: begins with 42, not 40"
    );
}

#[test]
fn stale_entries_behind_good_ones_are_left_alone() {
    let states = states();
    let primary = interrupted(&states[0]);
    // The log was longer once: older states, which end where no entry of the new round begins.
    let old = log_of(&states, 20).bytes;
    let fresh = NewLog::new(&states[0], FIRST).entry(&states[0], &states[1], FIRST);
    let length = fresh.bytes.len();
    let stale = NewLog::new(&states[0], 20).entry(&states[0], &states[1], 20);
    assert_eq!(stale.bytes.len(), length);
    let earlier = NewLog {
        bytes: old,
        entries: Vec::new(),
    };
    let log = fresh.over(&earlier).bytes;
    assert!(log.len() > length + 5000);
    let recovered = recover_from(&primary, &[("SYSTEM.LOG1", &log)]).unwrap();
    let found = 21;
    assert_eq!(
        stop(recovered.report(), "SYSTEM.LOG1"),
        &Stop::Stale { found }
    );
    assert_eq!(recovered.report().last_sequence(), FIRST);
    assert_same(&image_of(&recovered), &clean(&states[1], FIRST));
}

#[test]
fn a_log_older_than_the_hive_is_not_used() {
    let states = states();
    let primary = interrupted(&states[2]);
    let older = log_of(&states[..3], FIRST - 2).bytes;
    let current = log_of(&states[2..], FIRST).bytes;
    let logs = [("SYSTEM.LOG1", &older), ("SYSTEM.LOG2", &current)];
    let recovered = recover_from(&primary, &logs).unwrap();
    let (log, hive) = (FIRST - 2, FIRST);
    let expected = Finding::Older { log, hive };
    assert_eq!(finding(recovered.report(), "SYSTEM.LOG1"), &expected);
    let said = "recovered: 2 entries from SYSTEM.LOG2 (40..41)";
    assert_eq!(recovered.report().to_string(), said);
    assert_same(&image_of(&recovered), &clean(&states[4], FIRST + 1));

    let report = refused(recover_from(&primary, &logs[..1]));
    assert_eq!(finding(&report, "SYSTEM.LOG1"), &expected);
}

#[test]
fn a_hive_grows_and_shrinks_with_its_entries() {
    let states = states();
    let primary = interrupted(&states[1]);
    let log = log_of(&states[1..3], FIRST).bytes;
    let recovered = recover_from(&primary, &[("SYSTEM.LOG1", &log)]).unwrap();
    assert_eq!(recovered.size(), states[2].len() as u64);
    assert_same(&image_of(&recovered), &clean(&states[2], FIRST));

    let primary = interrupted(&states[2]);
    let back = [states[2].clone(), states[1].clone()];
    let log = log_of(&back, FIRST).bytes;
    let recovered = recover_from(&primary, &[("SYSTEM.LOG1", &log)]).unwrap();
    let image = image_of(&recovered);
    // The file keeps its length; what was bins is remnant data now.
    let (bins, tail) = image.split_at(states[1].len());
    assert_same(bins, &clean(&states[1], FIRST));
    assert_same(tail, &states[2][states[1].len()..]);
}

#[test]
fn growth_that_no_page_fills_is_refused() {
    let states = states();
    let primary = interrupted(&states[0]);
    let mut log = log_of(&states[..2], FIRST);
    let entry = log.entry_mut(0);
    set(entry, 16, 0xFFFF_F000);
    seal_entry(entry);
    let report = refused(recover_from(&primary, &[("SYSTEM.LOG1", &log.bytes)]));
    let obstacle = report.obstacle.as_ref().unwrap();
    assert_eq!(obstacle.at, FileOffset(states[0].len() as u64));
    assert_eq!(report.applied, None);
}

#[test]
fn a_log_of_another_hive_is_not_applied() {
    let states = states();
    let primary = interrupted(&states[0]);
    let rename = |log: &[u8], name: &str| {
        let mut log = log.to_vec();
        log[48..112].fill(0);
        for (at, unit) in name.encode_utf16().enumerate() {
            log[48 + 2 * at..][..2].copy_from_slice(&unit.to_le_bytes());
        }
        seal_base_block(&mut log);
        log
    };
    let log = log_of(&states, FIRST).bytes;
    let other = rename(&log, r"emRoot\System32\Config\SOFTWARE");
    let field = "file name";
    let report = refused(recover_from(&primary, &[("SYSTEM.LOG1", &other)]));
    assert_eq!(
        finding(&report, "SYSTEM.LOG1"),
        &Finding::OtherHive { field }
    );

    // The boot loader calls it otherwise than the kernel; a nameless one may be anybody's.
    for name in ["system", ""] {
        let own = rename(&log, name);
        let recovered = recover_from(&primary, &[("SYSTEM.LOG1", &own)]).unwrap();
        assert_same(&image_of(&recovered), &clean(&states[4], FIRST + 3));
    }

    let mut newer = log.clone();
    set(&mut newer, 24, 6);
    seal_base_block(&mut newer);
    let field = "format version";
    let report = refused(recover_from(&primary, &[("SYSTEM.LOG1", &newer)]));
    assert_eq!(
        finding(&report, "SYSTEM.LOG1"),
        &Finding::OtherHive { field }
    );
}

#[test]
fn the_pending_transactions_flag_comes_from_the_last_entry_and_no_other_flag_does() {
    let states = states();
    for (hive_flags, entry_flags, expected) in [(2, 1, 3), (3, 0, 2), (2, 0xFFFF_FFFE, 2)] {
        let mut primary = states[0].clone();
        set(&mut primary, 144, hive_flags);
        let primary = interrupted(&primary);
        let mut log = log_of(&states[..2], FIRST);
        let entry = log.entry_mut(0);
        set(entry, 8, entry_flags);
        seal_entry(entry);
        let recovered = recover_from(&primary, &[("SYSTEM.LOG1", &log.bytes)]).unwrap();
        assert_eq!(u32_of(&image_of(&recovered), 144), expected);
    }
}

#[test]
fn a_bad_base_block_is_taken_from_the_newest_log() {
    let states = states();
    let mut primary = interrupted(&states[0]);
    primary[40] ^= 0xFF;
    let earlier = log_of(&states[..3], FIRST).bytes;
    let mut later = log_of(&states[2..], FIRST + 2).bytes;
    // A mark in a reserved field tells whose base block it is.
    later[200] = 0x5A;
    seal_base_block(&mut later);
    let logs = [("SYSTEM.LOG1", &later), ("SYSTEM.LOG2", &earlier)];
    let recovered = recover_from(&primary, &logs).unwrap();
    let report = recovered.report();
    assert!(matches!(report.state, HiveState::BadBaseBlock(_)));
    assert_eq!(report.base_block_from.as_deref(), Some("SYSTEM.LOG1"));
    let mut expected = states[4].clone();
    expected[200] = 0x5A;
    assert_same(&image_of(&recovered), &clean(&expected, FIRST + 3));
}

#[test]
fn behind_a_bad_base_block_the_log_that_leads_up_to_the_newest_is_applied_too() {
    let states = states();
    let earlier = log_of(&states[..3], FIRST).bytes;
    let later = log_of(&states[2..], FIRST + 2).bytes;
    let logs = [("SYSTEM.LOG1", &earlier), ("SYSTEM.LOG2", &later)];
    // Windows takes the newest log only: right where the hive holds the earlier entries, and
    // half a hive where it does not. Applying both gives the same in the first case.
    for held in [0, 1, 2] {
        let mut primary = interrupted(&states[held]);
        primary[508] ^= 1;
        let recovered = recover_from(&primary, &logs).unwrap();
        assert_same(&image_of(&recovered), &clean(&states[4], FIRST + 3));
    }
    // Where it does not lead up to it, the newest is used alone, as Windows does.
    let mut primary = interrupted(&states[2]);
    primary[508] ^= 1;
    let unrelated = log_of(&states[..2], FIRST).bytes;
    let logs = [("SYSTEM.LOG1", &unrelated), ("SYSTEM.LOG2", &later)];
    let recovered = recover_from(&primary, &logs).unwrap();
    let said = "recovered: 2 entries from SYSTEM.LOG2 (42..43)";
    assert_eq!(recovered.report().to_string(), said);
    assert_same(&image_of(&recovered), &clean(&states[4], FIRST + 3));
}

#[test]
fn an_invalid_bin_is_replaced_by_an_empty_one() {
    let states = states();
    let primary = interrupted(&states[0]);
    // A bin of its own that nothing refers to arrives without its signature.
    let bins = u32_of(&states[0], 40);
    let first = &states[0][4096..8192];
    let pages: [(usize, &[u8]); 2] = [(0, first), (bins as usize, &[0x77; 4096])];
    let log = NewLog::new(&states[0], FIRST).raw_entry(&pages, bins + 4096, 0, FIRST);
    let recovered = recover_from(&primary, &[("SYSTEM.LOG1", &log.bytes)]).unwrap();
    assert_eq!(recovered.report().dummy_bins, [CellOffset(bins)]);
    let image = image_of(&recovered);
    let bin = &image[4096 + bins as usize..];
    assert_eq!(&bin[..4], b"hbin");
    assert_eq!(
        (u32_of(bin, 4), u32_of(bin, 8), u32_of(bin, 32)),
        (bins, 4096, 4064)
    );
}

/// Where the last bin of `image` begins, in the bins; it holds the value of 9000 bytes.
pub(super) fn last_bin(image: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let next = at + u32_of(image, 4096 + at + 8) as usize;
        if next == u32_of(image, 40) as usize {
            return at;
        }
        at = next;
    }
}

#[test]
fn what_looks_like_a_bin_within_a_bin_is_none() {
    let states = states();
    let bin = last_bin(&states[2]);
    assert!(u32_of(&states[2], 4096 + bin + 8) >= 3 * 4096);
    // An old header, as bins leave it behind when a larger one takes their place. The next page
    // would have to be a bin, if it were one.
    let inner = bin + 4096;
    let mut before = states[2].clone();
    let header = &mut before[4096 + inner..];
    header[..4].copy_from_slice(b"hbin");
    set(header, 4, inner as u32);
    set(header, 8, 4096);
    let mut after = before.clone();
    after[4096 + inner + 4096..][..16].fill(0xB3);
    let log = NewLog::new(&before, FIRST).entry(&before, &after, FIRST);
    let primary = interrupted(&before);
    let recovered = recover_from(&primary, &[("SYSTEM.LOG1", &log.bytes)]).unwrap();
    assert_eq!(recovered.report().dummy_bins, []);
    assert_same(&image_of(&recovered), &clean(&after, FIRST));
}

#[test]
fn a_bin_that_is_damaged_in_the_hive_itself_stays_as_it_is() {
    let states = states();
    let mut primary = interrupted(&states[2]);
    let last = last_bin(&states[2]);
    primary[4096 + last] = b'x';
    // The log changes what lies inside that bin.
    let page = vec![0xB3; 4096];
    let pages: [(usize, &[u8]); 1] = [(last + 4096, &page)];
    let size = u32_of(&states[2], 40);
    let log = NewLog::new(&states[2], FIRST).raw_entry(&pages, size, 0, FIRST);
    let recovered = recover_from(&primary, &[("SYSTEM.LOG1", &log.bytes)]).unwrap();
    assert_eq!(recovered.report().dummy_bins, []);
    assert!(!check(&recovered.to_vec().unwrap()).is_sound());
}

#[test]
fn a_dirty_hive_without_usable_logs_is_refused() {
    let states = states();
    let primary = interrupted(&states[0]);
    let log = log_of(&states, FIRST).bytes;
    assert_eq!(
        refused(recover_from(&primary, &[])).to_string(),
        "the hive is dirty (write 41 was begun, but only 40 was completed) and has no logs"
    );
    let nothing = Vec::new();
    let zeros = vec![0; 65536];
    for empty in [&nothing, &zeros] {
        let report = refused(recover_from(&primary, &[("SYSTEM.LOG1", empty)]));
        assert_eq!(finding(&report, "SYSTEM.LOG1"), &Finding::Empty);
    }
    let mut half = log.clone();
    set(&mut half, 4, FIRST + 1);
    seal_base_block(&mut half);
    let report = refused(recover_from(&primary, &[("SYSTEM.LOG1", &half)]));
    let (begun, completed) = (FIRST + 1, FIRST);
    let expected = Finding::HalfWritten {
        primary: begun,
        secondary: completed,
    };
    assert_eq!(finding(&report, "SYSTEM.LOG1"), &expected);
    let mut bad = log.clone();
    bad[60] ^= 1;
    let mut kind = log.clone();
    set(&mut kind, 28, 3);
    seal_base_block(&mut kind);
    let text = b"This is no log at all.".repeat(100);
    let short = log[..300].to_vec();
    for (log, says) in [
        (&bad, "checksum"),
        (&kind, "file type"),
        (&text, "begins with"),
        (&short, "needs 512 bytes"),
        (&primary, "file type"),
    ] {
        let report = refused(recover_from(&primary, &[("SYSTEM.LOG1", log)]));
        let Finding::Invalid(error) = finding(&report, "SYSTEM.LOG1") else {
            panic!("{report:?}");
        };
        assert!(error.to_string().contains(says), "{error}");
    }
    // Entries that cannot be applied are known all the same.
    let report = refused(recover_from(&primary, &[("SYSTEM.LOG1", &bad)]));
    assert_eq!(report.last_sequence(), FIRST + 3);
}

#[test]
fn what_is_no_hive_is_not_recovered() {
    let states = states();
    let log = log_of(&states, FIRST).bytes;
    let mut other = interrupted(&states[0]);
    other[..8192].fill(0x20);
    let mut ancient = states[0].clone();
    set(&mut ancient, 24, 1);
    let ancient = interrupted(&ancient);
    for primary in [Vec::new(), vec![0; 100], other, ancient, log.clone()] {
        let result = recover_from(&primary, &[("SYSTEM.LOG1", &log)]);
        assert!(matches!(result, Err(LogError::NotAHive(_))), "{result:?}");
    }
}

#[test]
fn a_log_beside_log1_and_log2_is_a_left_over() {
    let states = states();
    let primary = interrupted(&states[0]);
    let log = log_of(&states[..2], FIRST).bytes;
    let left_over = log_of(&states[1..], FIRST + 1).bytes;
    let logs = [("system.log", &left_over), ("system.LOG1", &log)];
    let recovered = recover_from(&primary, &logs).unwrap();
    let unused = Finding::NotUsed(NotUsed::OtherLogs);
    assert_eq!(finding(recovered.report(), "system.log"), &unused);
    assert_same(&image_of(&recovered), &clean(&states[1], FIRST));
    let recovered = recover_from(&primary, &[("system.log", &log)]).unwrap();
    assert_same(&image_of(&recovered), &clean(&states[1], FIRST));
}

#[test]
fn names_are_shown_without_what_a_terminal_would_obey() {
    let primary = interrupted(&states()[0]);
    let report = refused(recover_from(
        &primary,
        &[("a\u{1b}[2J\u{202e}.LOG1", &vec![])],
    ));
    let text = report.to_string();
    assert!(text.contains(r"a\u{1b}[2J\u{202e}.LOG1: empty"), "{text}");
}

/// Counts what is read.
struct Counted<'a> {
    bytes: &'a Vec<u8>,
    read: Cell<usize>,
}

impl HiveBytes for Counted<'_> {
    fn size(&self) -> u64 {
        self.bytes.size()
    }

    fn read(&self, at: FileOffset, length: usize) -> Result<Cow<'_, [u8]>, regf::RegfError> {
        self.read.set(self.read.get() + length);
        self.bytes.read(at, length)
    }
}

#[test]
fn the_primary_file_is_read_only_where_it_must_be() {
    let large = (0..40).fold(empty_hive(), |hive, number| {
        with_value(&hive, "Large", &format!("{number}"), &[0xB4; 60_000])
    });
    assert!(large.len() > 2_000_000);
    let after = with_value(&large, "Large", "20", &[0xB5; 60_000]);
    let after = with_value(&after, "Large", "7", &[7]);
    let bytes = interrupted(&large);
    let log = log_of(&[large, after.clone()], FIRST).bytes;
    let primary = Counted {
        bytes: &bytes,
        read: Cell::new(0),
    };
    let name = "SYSTEM.LOG1".to_owned();
    let recovered = recover(&primary, &[LogFile { name, bytes: &log }]).unwrap();
    assert!(primary.read.get() < 4096, "{}", primary.read.get());
    let hive = Hive::open(&recovered).unwrap();
    let key = hive.find(&names(&["Large"])).unwrap().unwrap();
    let value = hive.find_value(&key, &Name::from("7")).unwrap().unwrap();
    assert_eq!(*hive.data(&value).unwrap(), [7]);
    assert!(primary.read.get() < 16_384, "{}", primary.read.get());
    assert_same(&image_of(&recovered), &clean(&after, FIRST));
}

// ---- the old format
