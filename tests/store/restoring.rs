// SPDX-License-Identifier: GPL-3.0-or-later
//! What is put back, and what is not.

use super::*;

#[test]
fn restore_refuses_to_lose_what_windows_wrote() {
    for name in ["SOFTWARE", "SYSTEM.LOG1", "SYSTEM.LOG"] {
        let target = Target::new();
        apply(&target, &Disk).unwrap();
        fs::write(target.path(name), b"Windows has run").unwrap();
        let before = target.state();
        let error = restore_newest(&target, &Disk).unwrap_err();
        let StoreFault::ChangedSince { files } = &error.fault else {
            panic!("{error}");
        };
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].file.as_str(), name);
        assert!(error.is_refusal());
        same(&before, &target.state());
    }
}

#[test]
fn a_missing_log_comes_back_and_a_missing_hive_is_a_change() {
    let target = Target::new();
    let before = target.state();
    apply(&target, &Disk).unwrap();
    fs::remove_file(target.path("SYSTEM.LOG1")).unwrap();
    restore_newest(&target, &Disk).unwrap();
    let mut after = target.state();
    after.retain(|path, _| !path.starts_with(target.path("hivemend")));
    same(&before, &after);

    let target = Target::new();
    apply(&target, &Disk).unwrap();
    fs::remove_file(target.path("SYSTEM")).unwrap();
    let error = restore_newest(&target, &Disk).unwrap_err();
    assert!(
        matches!(error.fault, StoreFault::ChangedSince { .. }),
        "{error}"
    );
}

#[test]
fn of_two_backups_the_later_must_be_restored_first() {
    let target = Target::new();
    let before = target.state();
    let first = apply(&target, &Disk).unwrap();
    let mut request = target.request();
    request.hives = vec![target.new_hive("SYSTEM", 55, 4096)];
    request.now += Duration::from_secs(60);
    let second = apply_request(request, &Disk).unwrap();
    let store = Store::new(&Disk);
    let backups = store.list(&target.folder(), None).unwrap();
    let plan = store.prepare_restore(&target.site(), &backups[1]).unwrap();
    assert_eq!(plan.manifest().id, first.id);
    assert_eq!(plan.changed[0].by.as_ref(), Some(&second.id));
    let error = store.restore(plan).unwrap_err();
    assert!(error.to_string().contains(second.id.as_str()), "{error}");
    for backup in &backups {
        let plan = store.prepare_restore(&target.site(), backup).unwrap();
        store.restore(plan).unwrap();
    }
    let mut after = target.state();
    after.retain(|path, _| !path.starts_with(target.path("hivemend")));
    same(&before, &after);
}

#[test]
fn restoring_twice_writes_nothing() {
    let target = Target::new();
    apply(&target, &Disk).unwrap();
    restore_newest(&target, &Disk).unwrap();
    let (before, inode_before) = (target.state(), inode(&target.path("SYSTEM")));
    let outcome = restore_newest(&target, &Disk).unwrap();
    assert!(
        outcome
            .items
            .iter()
            .all(|item| item.action == RestoreAction::Same)
    );
    same(&before, &target.state());
    assert_eq!(inode(&target.path("SYSTEM")), inode_before);
}

#[test]
fn a_damaged_backup_is_not_restored() {
    let target = Target::new();
    let outcome = apply(&target, &Disk).unwrap();
    let mut bytes = fs::read(outcome.backup.join("SYSTEM")).unwrap();
    bytes[77] ^= 1;
    fs::write(outcome.backup.join("SYSTEM"), bytes).unwrap();
    let before = target.state();
    let error = restore_newest(&target, &Disk).unwrap_err();
    assert!(matches!(error.fault, StoreFault::Damaged { .. }), "{error}");
    assert_eq!(error.touched, Touched::Untouched);
    same(&before, &target.state());
}

/// What is written can be read back: up to the limit, and no run begins beyond it.
#[test]
fn a_run_whose_record_could_not_be_read_back_is_refused() {
    let limit = hivemend::store::limits::MANIFEST;
    let request = |target: &Target, length: u64| {
        let mut request = target.request();
        let long = "x".repeat(usize::try_from(length).unwrap());
        request.changes = (&serde_json::json!([long])).try_into().unwrap();
        request
    };
    // What else is in it: found by a short one.
    let probe = Target::new();
    let outcome = apply_request(request(&probe, 0), &Disk).unwrap();
    let rest = fs::metadata(outcome.backup.join("manifest.json"))
        .unwrap()
        .len();

    let target = Target::new();
    let before = target.state();
    let error = apply_request(request(&target, limit - rest + 100), &Disk).unwrap_err();
    assert!(error.is_refusal(), "{error}");
    assert!(error.to_string().contains(&limit.to_string()), "{error}");
    assert_eq!(target.state(), before);

    apply_request(request(&target, limit - rest - 5_000), &Disk).unwrap();
    target.hives_are(true);
    restore_newest(&target, &Disk).unwrap();
    target.hives_are(false);
}

// ---------------------------------------------------------------- hostile manifests

#[test]
fn manifests_that_lie_are_reported_and_not_followed() {
    let target = Target::new();
    let outcome = apply(&target, &Disk).unwrap();
    let path = outcome.backup.join("manifest.json");
    let good = fs::read_to_string(&path).unwrap();
    let replaced = |from: &str, to: &str| {
        assert!(good.contains(from));
        good.replacen(from, to, 1)
    };
    let secret = target.config.parent().unwrap().join("secret");
    fs::write(&secret, b"secret").unwrap();
    let cases = [
        (
            "../secret",
            replaced("\"file\":\"SYSTEM\"", "\"file\":\"../../../secret\""),
        ),
        (
            "absolute",
            replaced("\"file\":\"SYSTEM\"", "\"file\":\"/etc/passwd\""),
        ),
        ("schema", replaced("hivemend.backup/1", "hivemend.backup/2")),
        (
            "other id",
            replaced("2026-11-20T10-31-05Z", "2025-11-20T10-31-05Z"),
        ),
        (
            "twice",
            replaced("\"file\":\"SOFTWARE\"", "\"file\":\"system\""),
        ),
        ("cut off", good[..good.len() / 2].to_owned()),
        ("deep", "[".repeat(1_000_000)),
        ("empty", String::new()),
    ];
    let store = Store::new(&Disk);
    for (name, text) in cases {
        fs::write(&path, text).unwrap();
        let backups = store.list(&target.folder(), None).unwrap();
        assert_eq!(backups.len(), 1, "{name}");
        assert!(backups[0].manifest.is_err(), "{name}");
        let before = target.state();
        assert!(
            store.prepare_restore(&target.site(), &backups[0]).is_err(),
            "{name}"
        );
        same(&before, &target.state());
    }
    fs::remove_file(&path).unwrap();
    #[cfg(unix)]
    {
        symlink(&secret, &path).unwrap();
        let backups = store.list(&target.folder(), None).unwrap();
        assert!(backups[0].manifest.is_err());
        fs::remove_file(&path).unwrap();
    }
    File::create(&path)
        .unwrap()
        .set_len((64 << 20) + 1)
        .unwrap();
    let manifest = &store.list(&target.folder(), None).unwrap()[0].manifest;
    assert!(
        manifest
            .as_ref()
            .unwrap_err()
            .to_string()
            .contains("longer")
    );
    assert_eq!(fs::read(secret).unwrap(), b"secret");
}

#[test]
#[cfg(unix)] // Wine makes no symbolic links.
fn a_backup_folder_that_is_a_link_is_reported() {
    let target = Target::new();
    let outcome = apply(&target, &Disk).unwrap();
    let elsewhere = target.config.parent().unwrap().join("moved");
    fs::rename(&outcome.backup, &elsewhere).unwrap();
    symlink(&elsewhere, &outcome.backup).unwrap();
    let backups = Store::new(&Disk).list(&target.folder(), None).unwrap();
    assert!(backups[0].manifest.is_err());
}

#[test]
fn a_journal_that_lies_destroys_no_backup() {
    let target = Target::new();
    let outcome = apply(&target, &Disk).unwrap();
    // A journal that claims the finished run is not finished, and that its backup is its litter.
    let manifest = fs::read_to_string(outcome.backup.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let hive = &manifest["hives"][0];
    let journal = serde_json::json!({
        "schema": "hivemend.journal/1", "id": outcome.id.as_str(), "run": manifest["run"],
        "operation": "apply",
        "beside": true, "made_root": true, "swaps": [{ "name": "SYSTEM", "file": "SYSTEM",
        "from": hive["after"], "to": hive["before"], "metadata": hive["metadata"] }] });
    fs::write(target.path("hivemend.journal"), journal.to_string()).unwrap();
    // It is about other changes than the backup's manifest: the backup is none of its business.
    let found = pending(&target).unwrap();
    Store::new(&Disk).undo(&found).unwrap();
    assert_eq!(pending(&target), None);
    assert!(outcome.backup.join("SYSTEM").exists());
    target.hives_are(true);

    // And one that says the same as the manifest, which says that the run is over.
    let swaps = manifest["hives"].as_array().unwrap().iter().map(|hive| {
        serde_json::json!({ "name": hive["name"], "file": hive["file"], "from": hive["before"],
            "to": hive["after"], "metadata": hive["metadata"] })
    });
    let mut journal = journal;
    journal["swaps"] = swaps.collect();
    fs::write(target.path("hivemend.journal"), journal.to_string()).unwrap();
    let found = pending(&target).unwrap();
    assert!(found.cannot_undo.is_some());
    assert!(Store::new(&Disk).undo(&found).is_err());
    assert!(outcome.backup.join("SYSTEM").exists());
    target.hives_are(true);
    Store::new(&Disk).finish(&found).unwrap();
    assert!(outcome.backup.join("SYSTEM").exists());
}

/// Two disks with one backup folder chose one name in one second, and this run stopped between
/// its journal and its folder: what is there is the other disk's, finished or not.
#[test]
fn another_runs_backup_of_the_same_name_is_left_alone() {
    for other_is_finished in [false, true] {
        let shared = tempfile::tempdir().unwrap();
        let (first, second) = (Target::new(), Target::new());
        fs::write(second.path("SYSTEM"), b"another disk's").unwrap();
        let request = |target: &Target| {
            let mut request = target.request();
            request.backup_dir = Some(shared.path().to_path_buf());
            request
        };
        let counter = Faulty::new(Trouble::None);
        apply_request(request(&Target::new()), &counter).unwrap();
        let made = counter.number_of("create_dir", "2026-11-20T10-31-05Z");
        let swap = counter.number_of("rename", "config/SYSTEM");
        fs::remove_dir_all(shared.path().join("2026-11-20T10-31-05Z")).unwrap();

        let before = first.state();
        apply_request(request(&first), &Faulty::new(Trouble::Stop(made))).unwrap_err();
        let trouble = match other_is_finished {
            true => Trouble::None,
            false => Trouble::Stop(swap),
        };
        let other = apply_request(request(&second), &Faulty::new(trouble));
        assert_eq!(other.is_ok(), other_is_finished);
        let backup = shared.path().join("2026-11-20T10-31-05Z");
        let held = fs::read(backup.join("SYSTEM")).unwrap();

        let store = Store::new(&Disk);
        let found = store
            .pending(&first.site(), Some(shared.path()))
            .unwrap()
            .unwrap();
        assert!(
            found.cannot_finish.is_some() && found.cannot_undo.is_none(),
            "{found:?}"
        );
        store.undo(&found).unwrap();
        same(&before, &first.state());
        assert_eq!(fs::read(backup.join("SYSTEM")).unwrap(), held);
        if let Some(found) = store.pending(&second.site(), Some(shared.path())).unwrap() {
            store.finish(&found).unwrap();
        }
        let backups = store.list(&second.folder(), Some(shared.path())).unwrap();
        assert_eq!(
            backups[0].manifest.as_ref().unwrap().state,
            BackupState::Applied
        );
    }
}

// ---------------------------------------------------------------- every operation in turn
