// SPDX-License-Identifier: GPL-3.0-or-later
//! Random writes that are interrupted.

use super::*;

#[derive(Clone, Debug)]
struct Edit {
    key: u8,
    value: u8,
    length: usize,
    fill: u8,
    delete: bool,
}

fn edit() -> impl Strategy<Value = Edit> {
    let length = prop_oneof![0..40_usize, 100..5000_usize, 16_000..40_000_usize];
    (0..6_u8, 0..4_u8, length, any::<u8>(), any::<bool>()).prop_map(
        |(key, value, length, fill, delete)| Edit {
            key,
            value,
            length,
            fill,
            delete,
        },
    )
}

fn apply(image: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut editor = Editor::open(image.to_vec(), TIME + 1).unwrap();
    for edit in edits {
        let path = names(&["Keys", &format!("Key {}", edit.key)]);
        if edit.delete {
            editor.delete_key(&path).unwrap();
        }
        editor.create_key(&path).unwrap();
        let name = Name::from(format!("Value {}", edit.value).as_str());
        let data = vec![edit.fill; edit.length];
        editor.set_value(&path, &name, 3, &data).unwrap();
    }
    editor.seal(0).unwrap().image
}

/// The states that batches of edits lead to, the empty hive first.
fn edited(batches: &[Vec<Edit>]) -> Vec<Vec<u8>> {
    let mut states = vec![apply(
        &empty_hive(),
        &[Edit {
            key: 0,
            value: 0,
            length: 9,
            fill: 1,
            delete: false,
        }],
    )];
    for batch in batches {
        states.push(apply(states.last().unwrap(), batch));
    }
    states
}

fn batches() -> impl Strategy<Value = Vec<Vec<Edit>>> {
    prop::collection::vec(prop::collection::vec(edit(), 1..4), 1..5)
}

/// `before` with those of `after`'s pages that `written` picks, as a write that stopped half-way.
fn half_written(before: &[u8], after: &[u8], written: &[bool]) -> Vec<u8> {
    let mut image = before.to_vec();
    image.resize(before.len().max(after.len()), 0);
    for ((at, page), written) in after
        .chunks(4096)
        .enumerate()
        .skip(1)
        .zip(written.iter().cycle())
    {
        if *written {
            image[at * 4096..][..page.len()].copy_from_slice(page);
        }
    }
    image
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_new_log_leads_to_its_last_whole_entry_wherever_it_is_cut(
        batches in batches(),
        split in any::<prop::sample::Index>(),
        written in prop::collection::vec(any::<bool>(), 1..40),
    ) {
        let states = edited(&batches);
        let primary = interrupted(&states[0]);
        let log = log_of(&states, FIRST);
        for cut in (0..=log.bytes.len()).step_by(512) {
            let left = log.bytes[..cut].to_vec();
            let ends = log.entries.iter().skip(1).copied().chain([log.bytes.len()]);
            let whole = ends.filter(|end| *end <= cut).count();
            let result = recover_from(&primary, &[("SYSTEM.LOG1", &left)]);
            if whole == 0 {
                prop_assert!(matches!(result, Err(LogError::NotRecoverable(_))), "{result:?}");
                continue;
            }
            let recovered = result.unwrap();
            let sequence = FIRST + whole as u32 - 1;
            prop_assert_eq!(recovered.report().last_sequence() <= sequence + 1, true);
            assert_same(&recovered.to_vec().unwrap(), &clean(&states[whole], sequence));
        }

        // Split over two logs, over a primary file that was half written already.
        let split = split.index(states.len());
        let last = states.last().unwrap();
        let primary = interrupted(&half_written(&states[0], last, &written));
        let earlier = log_of(&states[..=split], FIRST).bytes;
        let later = log_of(&states[split..], FIRST + split as u32).bytes;
        let logs = [("SYSTEM.LOG1", &later), ("SYSTEM.LOG2", &earlier)];
        let recovered = recover_from(&primary, &logs).unwrap();
        let sequence = FIRST + batches.len() as u32 - 1;
        assert_same(&image_of(&recovered), &clean(last, sequence));
    }

    #[test]
    fn an_old_log_leads_to_the_edited_hive_or_is_refused_where_it_is_cut(
        batches in batches(),
        written in prop::collection::vec(any::<bool>(), 1..40),
        large_sectors in any::<bool>(),
    ) {
        let states = edited(&batches);
        let sector = if large_sectors { 4096 } else { 512 };
        let (before, mut after) = (&states[0], states.last().unwrap().clone());
        set(&mut after, 44, (sector / 512) as u32);
        seal_base_block(&mut after);
        let log = old_log(before, &after, FIRST + 1, sector, 1);
        let mut primary = half_written(before, &after, &written);
        primary[..4096].copy_from_slice(&after[..4096]);
        let primary = dirty(&primary, FIRST + 1, FIRST);
        for cut in (0..log.len()).step_by(512) {
            let left = log[..cut].to_vec();
            let result = recover_from(&primary, &[("SYSTEM.LOG1", &left)]);
            prop_assert!(matches!(result, Err(LogError::NotRecoverable(_))), "{cut}: {result:?}");
        }
        let recovered = recover_from(&primary, &[("SYSTEM.LOG1", &log)]).unwrap();
        assert_same(&image_of(&recovered), &clean(&after, FIRST + 1));
    }
}

/// Recovers, reads and judges whatever comes; its size is bounded by that of the input.
fn survive(primary: &Vec<u8>, logs: &[(&str, &Vec<u8>)]) {
    let recovered = match recover_from(primary, logs) {
        Ok(recovered) => recovered,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let input = primary.len() + logs.iter().map(|log| log.1.len()).sum::<usize>();
    assert!(recovered.size() <= input as u64);
    let image = recovered.to_vec().unwrap();
    assert_eq!(image.len() as u64, recovered.size());
    let _ = check(&image);
    if let Ok(hive) = Hive::open(&recovered) {
        assert!(hive.base().is_clean());
        let _ = hive.root().and_then(|root| hive.subkeys(&root));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_as_logs_are_survived(
        bytes in prop::collection::vec(any::<u8>(), 0..6000),
        bad_base in any::<bool>(),
    ) {
        let mut primary = interrupted(&empty_hive());
        if bad_base {
            primary[508] ^= 1;
        }
        survive(&primary, &[("SYSTEM.LOG1", &bytes), ("SYSTEM.LOG", &bytes)]);
        survive(&bytes, &[("SYSTEM.LOG1", &bytes)]);
    }

    /// The hashes and checksums are right, what they guard is not.
    #[test]
    fn hostile_logs_are_survived(
        fields in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![
            Just(0), Just(1), Just(511), Just(512), Just(4096), Just(0x7FFF_F000),
            Just(0xFFFF_F000), Just(u32::MAX), any::<u32>(),
        ]), 1..4),
        old in any::<bool>(),
        in_entry in any::<bool>(),
        bad_base in any::<bool>(),
    ) {
        let (mut primary, _, old_log) = old_write(512, 1);
        let states = states();
        let mut log = if old {
            NewLog { bytes: old_log, entries: vec![512] }
        } else {
            log_of(&states, FIRST)
        };
        for (place, field) in fields {
            if in_entry {
                let entry = log.entry_mut(0);
                set(entry, place.index(20) * 4, field);
            } else {
                set(&mut log.bytes, place.index(44) * 4, field);
            }
        }
        seal_base_block(&mut log.bytes);
        let first = log.entries[0];
        if !old {
            let size = u32_of(&log.bytes[first..], 4) as usize;
            let end = first.saturating_add(size.max(512)).min(log.bytes.len());
            seal_entry(&mut log.bytes[first..end]);
        }
        if bad_base {
            primary[508] ^= 1;
        }
        survive(&primary, &[("SYSTEM.LOG1", &log.bytes)]);
    }
}

// ---- the corpus
