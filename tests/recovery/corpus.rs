// SPDX-License-Identifier: GPL-3.0-or-later
//! Real hives and what Windows made of them.

use super::*;

fn corpus() -> Option<PathBuf> {
    let corpus = std::env::var_os("HIVEMEND_CORPUS").map(PathBuf::from);
    if corpus.is_none() {
        // Past the harness, which keeps what a passing test prints.
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            b"SKIPPED: HIVEMEND_CORPUS is not set, no real logs to replay\n",
        );
    }
    corpus
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name)).unwrap()
}

#[test]
fn new_logs_give_what_windows_10_recovered() {
    let Some(corpus) = corpus() else { return };
    let windows = read(&corpus, "hives/dirty/NewDirtyHive1/RecoveredHive_Windows10");
    let said = [
        "recovered: 4 entries from NewDirtyHive.LOG1, NewDirtyHive.LOG2 (2..5)",
        // The primary file holds entry 2 already: secondary sequence number 3.
        "recovered: 3 entries from NewDirtyHive.LOG2 (3..5)",
    ];
    for (name, said) in ["NewDirtyHive1", "NewDirtyHive2"].into_iter().zip(said) {
        let folder = corpus.join("hives/dirty").join(name);
        let primary = read(&folder, "NewDirtyHive");
        let log1 = read(&folder, "NewDirtyHive.LOG1");
        let log2 = read(&folder, "NewDirtyHive.LOG2");
        let logs = [("NewDirtyHive.LOG1", &log1), ("NewDirtyHive.LOG2", &log2)];
        let recovered = recover_from(&primary, &logs).unwrap();
        assert_eq!(recovered.report().to_string(), said);
        let image = image_of(&recovered);
        assert_same(&image[4096..], &windows[4096..]);
        // Windows has made one write more since.
        assert_eq!((u32_of(&image, 4), u32_of(&windows, 4)), (5, 6));
        assert_same(&clean(&image, 6), &windows);

        let swapped = [("NewDirtyHive.LOG1", &log2), ("NewDirtyHive.LOG2", &log1)];
        let recovered = recover_from(&primary, &swapped).unwrap();
        assert_same(&image_of(&recovered), &image);
    }
}

#[test]
fn an_old_log_gives_what_windows_7_recovered() {
    let Some(corpus) = corpus() else { return };
    let folder = corpus.join("hives/dirty/OldDirtyHive");
    let primary = read(&folder, "OldDirtyHive");
    let log1 = read(&folder, "OldDirtyHive.LOG1");
    let log2 = read(&folder, "OldDirtyHive.LOG2");
    let logs = [("OldDirtyHive.LOG1", &log1), ("OldDirtyHive.LOG2", &log2)];
    let recovered = recover_from(&primary, &logs).unwrap();
    let said = "recovered: 64 pages from OldDirtyHive.LOG1 (5)";
    assert_eq!(recovered.report().to_string(), said);
    assert_eq!(
        finding(recovered.report(), "OldDirtyHive.LOG2"),
        &Finding::Empty
    );
    let image = image_of(&recovered);
    let windows = read(&folder, "RecoveredHive_Windows7");
    let behind = differences(&image[4096..], &windows[4096..]);
    let behind: Vec<usize> = behind.iter().map(|at| at + 4096).collect();
    // What Windows wrote after it had loaded the hive: the first bin's time, and one flag.
    let after_loading = |at: &usize| (0x1014..=0x1018).contains(at) || *at == 0x6BDC8;
    assert!(behind.iter().all(after_loading), "{behind:x?}");
    assert_eq!(behind.len(), 6);

    let swapped = [("OldDirtyHive.LOG1", &log2), ("OldDirtyHive.LOG2", &log1)];
    let recovered = recover_from(&primary, &swapped).unwrap();
    assert_same(&image_of(&recovered), &image);
}

#[test]
fn a_real_bad_base_block_is_mended() {
    let Some(corpus) = corpus() else { return };
    // The hive of OldDirtyHive whose base block says version 1.1: the checksum is wrong. The
    // first bin has the time of the write before, so the log is newer and applies.
    let folder = corpus.join("hives/dirty/BadBaseBlockHive");
    let primary = read(&folder, "BadBaseBlockHive");
    let log1 = read(&folder, "BadBaseBlockHive.LOG1");
    let recovered = recover_from(&primary, &[("BadBaseBlockHive.LOG1", &log1)]).unwrap();
    let report = recovered.report();
    assert!(matches!(report.state, HiveState::BadBaseBlock(_)));
    assert_eq!(
        report.base_block_from.as_deref(),
        Some("BadBaseBlockHive.LOG1")
    );
    let image = image_of(&recovered);
    assert_eq!(u32_of(&image, 24), 3);

    let folder = corpus.join("hives/dirty/OldDirtyHive");
    let primary = read(&folder, "OldDirtyHive");
    let log1 = read(&folder, "OldDirtyHive.LOG1");
    let sound = recover_from(&primary, &[("OldDirtyHive.LOG1", &log1)]).unwrap();
    assert_same(&image, &image_of(&sound));
}

#[test]
fn real_bad_logs_are_refused() {
    let Some(corpus) = corpus() else { return };
    let folder = |number| corpus.join(format!("hives/dirty/BadLogHive{number}"));
    let report = |number| {
        let folder = folder(number);
        let primary = read(&folder, "BadLogHive");
        let log1 = read(&folder, "BadLogHive.LOG1");
        let log2 = read(&folder, "BadLogHive.LOG2");
        refused(recover_from(
            &primary,
            &[("BadLogHive.LOG1", &log1), ("BadLogHive.LOG2", &log2)],
        ))
    };
    let says = |report: &Report, log: &str, text: &str| {
        let found = finding(report, log).to_string();
        assert!(found.contains(text), "{found}");
    };
    // 1: the old log's base block has a wrong checksum, so it is no valid log; LOG2 is empty.
    let one = report(1);
    says(&one, "BadLogHive.LOG1", "base block at");
    says(&one, "BadLogHive.LOG1", "checksum is");
    says(&one, "BadLogHive.LOG2", "empty");
    // 2: the base block is right, but no dirty vector follows it.
    let two = report(2);
    says(
        &two,
        "BadLogHive.LOG1",
        "begins with \"INVL\", not \"DIRT\"",
    );
    // 3: both new logs have base blocks with wrong checksums. Their entries are sound, but which
    // is the first of them only the base block says.
    let three = report(3);
    says(&three, "BadLogHive.LOG1", "checksum is");
    says(&three, "BadLogHive.LOG2", "checksum is");
    assert_eq!(three.last_sequence(), 5);
}

#[test]
fn a_users_hive_takes_23_entries() {
    let Some(corpus) = corpus() else { return };
    let folder = corpus.join("hives/dirty/NtuserNewLogs");
    let primary = read(&folder, "NTUSER.DAT");
    let log1 = read(&folder, "NTUSER.DAT.LOG1");
    let log2 = read(&folder, "NTUSER.DAT.LOG2");
    let logs = [("NTUSER.DAT.LOG1", &log1), ("NTUSER.DAT.LOG2", &log2)];
    let recovered = recover_from(&primary, &logs).unwrap();
    let report = recovered.report();
    let said = "recovered: 23 entries from NTUSER.DAT.LOG1 (566..588)";
    assert_eq!(report.to_string(), said);
    let (log, hive) = (562, 566);
    let older = Finding::Older { log, hive };
    assert_eq!(finding(report, "NTUSER.DAT.LOG2"), &older);
    assert_eq!(report.last_sequence(), 588);
    assert_eq!(u32_of(&image_of(&recovered), 40), 0xE2000);
}

#[test]
fn a_systems_hive_takes_24_entries_and_has_35595_keys() {
    let Some(corpus) = corpus() else { return };
    let folder = corpus.join("disks/win10-1709-dirty/Windows/System32/config");
    let primary = read(&folder, "SYSTEM");
    let log1 = read(&folder, "SYSTEM.LOG1");
    let log2 = read(&folder, "SYSTEM.LOG2");
    for logs in [
        [("SYSTEM.LOG1", &log1), ("SYSTEM.LOG2", &log2)],
        [("SYSTEM.LOG2", &log2), ("SYSTEM.LOG1", &log1)],
    ] {
        let recovered = recover_from(&primary, &logs).unwrap();
        let report = recovered.report();
        let said = "recovered: 24 entries from SYSTEM.LOG1, SYSTEM.LOG2 (2107..2130)";
        assert_eq!(report.to_string(), said);
        // Older entries stand farther behind, but the next sector begins with none.
        assert_eq!(stop(report, "SYSTEM.LOG1"), &Stop::End);
        assert_eq!(stop(report, "SYSTEM.LOG2"), &Stop::End);
        assert_eq!(report.last_sequence(), 2130);
        assert_eq!(report.dummy_bins, []);
        let image = recovered.to_vec().unwrap();
        let checked = check(&image);
        assert!(checked.is_sound(), "{:?}", checked.first_error());
        assert_eq!(checked.keys, 35_595);
        assert_eq!(keys_below(&Hive::open(&recovered).unwrap()), 35_595);
    }
}

/// Keys of the hive, its root included, read through the overlay.
fn keys_below(hive: &Hive<'_>) -> usize {
    let mut keys = 0;
    let mut open = vec![hive.root().unwrap().at()];
    while let Some(at) = open.pop() {
        keys += 1;
        open.extend(hive.subkeys(&hive.key(at).unwrap()).unwrap());
    }
    keys
}
