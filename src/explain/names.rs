// SPDX-License-Identifier: GPL-3.0-or-later
//! What Windows calls its errors: every Win32, NTSTATUS, HRESULT and stop code by name, and what
//! the number itself says.
//!
//! The table is text that is read from its beginning on every look-up, in well under a
//! millisecond; so it costs no time at start. `tools/windows-codes.py` makes it and says its form.

use super::Kind;

const TABLE: &str = include_str!("../../data/windows-codes.txt");

/// NTSTATUS and the system error that Windows makes of it, where Microsoft's documents map them.
/// Ascending.
const MAPPED: [(u32, u32); 62] = [
    (0xC000_0001, 31),
    (0xC000_0002, 1),
    (0xC000_0005, 998),
    (0xC000_0008, 6),
    (0xC000_000D, 87),
    (0xC000_000E, 2),
    (0xC000_000F, 2),
    (0xC000_0010, 1),
    (0xC000_0011, 38),
    (0xC000_0017, 8),
    (0xC000_0022, 5),
    (0xC000_0023, 122),
    (0xC000_0033, 123),
    (0xC000_0034, 2),
    (0xC000_0035, 183),
    (0xC000_003A, 3),
    (0xC000_0043, 32),
    (0xC000_0054, 33),
    (0xC000_0061, 1314),
    (0xC000_0064, 1317),
    (0xC000_006A, 86),
    (0xC000_006C, 1325),
    (0xC000_006D, 1326),
    (0xC000_006E, 1327),
    (0xC000_006F, 1328),
    (0xC000_0070, 1329),
    (0xC000_0071, 1330),
    (0xC000_0072, 1331),
    (0xC000_007A, 127),
    (0xC000_007B, 193),
    (0xC000_007F, 112),
    (0xC000_0098, 1006),
    (0xC000_009A, 1450),
    (0xC000_00A2, 19),
    (0xC000_00B5, 121),
    (0xC000_00BA, 5),
    (0xC000_00BB, 50),
    (0xC000_00BE, 53),
    (0xC000_00C9, 64),
    (0xC000_00CC, 67),
    (0xC000_00DF, 1355),
    (0xC000_00E5, 1359),
    (0xC000_0102, 1392),
    (0xC000_0103, 267),
    (0xC000_0120, 995),
    (0xC000_0121, 5),
    (0xC000_0133, 1398),
    (0xC000_0135, 126),
    (0xC000_0139, 127),
    (0xC000_014C, 1009),
    (0xC000_014D, 1016),
    (0xC000_015B, 1385),
    (0xC000_015C, 1017),
    (0xC000_018A, 1786),
    (0xC000_018B, 1787),
    (0xC000_018C, 1788),
    (0xC000_018D, 1789),
    (0xC000_0193, 1793),
    (0xC000_0224, 1907),
    (0xC000_0225, 1168),
    (0xC000_0234, 1909),
    (0xC000_0428, 577),
];

/// The name of a number of that kind; none for kinds that have no constants.
pub(super) fn name(kind: Kind, code: u32) -> Option<String> {
    let table = table(kind)?;
    let mut found = None;
    read(table, |number, name| {
        if number == code {
            found = Some(name.to_owned());
        }
        number < code
    });
    found
}

/// The kind and number of a constant.
pub(super) fn numbered(wanted: &str) -> Option<(Kind, u32)> {
    let kinds = [Kind::Stop, Kind::SystemError, Kind::Ntstatus, Kind::Hresult];
    kinds.into_iter().find_map(|kind| {
        let mut found = None;
        read(table(kind)?, |number, name| {
            if name.eq_ignore_ascii_case(wanted) {
                found = Some((kind, number));
            }
            found.is_none()
        });
        found
    })
}

/// Calls `each` with every number and name of a table, until it returns false.
fn read(table: &str, mut each: impl FnMut(u32, &str) -> bool) {
    // Codes begin at 0 with a step of 1.
    let (mut code, mut name) = (u32::MAX, String::new());
    for line in table.lines() {
        let Some(at) = line.find(|c: char| c.is_ascii_lowercase()) else {
            continue;
        };
        let (step, rest) = line.split_at(at);
        let step = match step {
            "" => Some(1),
            _ => u32::from_str_radix(step, 16).ok(),
        };
        let mut rest = rest.chars();
        let kept = rest
            .next()
            .map(|letter| u32::from(letter).saturating_sub(u32::from('a')));
        let (Some(step), Some(kept)) = (step, kept.and_then(|kept| usize::try_from(kept).ok()))
        else {
            continue;
        };
        code = code.wrapping_add(step);
        name.truncate(kept.min(name.len()));
        name.push_str(rest.as_str());
        if !each(code, &name) {
            return;
        }
    }
}

fn table(kind: Kind) -> Option<&'static str> {
    let heading = match kind {
        Kind::SystemError => "= win32\n",
        Kind::Ntstatus => "= ntstatus\n",
        Kind::Hresult => "= hresult\n",
        Kind::Stop => "= stop\n",
        _ => return None,
    };
    let (_, rest) = TABLE.split_once(heading)?;
    Some(rest.split_once("\n= ").map_or(rest, |(table, _)| table))
}

/// What another number says in this one: an HRESULT that wraps a system error or an NTSTATUS, an
/// NTSTATUS that Windows turns into a system error.
pub(super) fn inner(kind: Kind, code: u32) -> Option<(Kind, u32)> {
    match kind {
        Kind::Hresult if code >> 16 == 0x8007 => Some((Kind::SystemError, code & 0xFFFF)),
        Kind::Hresult if code & 0x3000_0000 == 0x1000_0000 => {
            Some((Kind::Ntstatus, code & !0x1000_0000))
        }
        // A warning or error of the facility for Win32.
        Kind::Ntstatus if code & 0x0FFF_0000 == 0x0007_0000 => {
            Some((Kind::SystemError, code & 0xFFFF))
        }
        Kind::Ntstatus => {
            let at = MAPPED
                .binary_search_by_key(&code, |(status, _)| *status)
                .ok();
            let (_, error) = MAPPED.get(at?)?;
            Some((Kind::SystemError, *error))
        }
        _ => None,
    }
}

/// What the number's own bits say, in words; none for numbers that are only counted.
pub(super) fn bits(kind: Kind, code: u32) -> Option<String> {
    let facility = code >> 16 & 0x0FFF;
    match kind {
        Kind::Hresult => {
            let facility = facility & 0x07FF;
            let what = if code >> 31 == 1 {
                "a failure"
            } else {
                "a success"
            };
            let named = HRESULT_FACILITIES
                .iter()
                .find(|(number, _)| *number == facility);
            let named = named.map_or(String::new(), |(_, name)| format!(" ({name})"));
            Some(format!(
                "an HRESULT: {what}, facility {facility}{named}, code {}",
                code & 0xFFFF
            ))
        }
        Kind::Ntstatus => {
            let severity = match code >> 30 {
                0 => "success",
                1 => "information",
                2 => "warning",
                _ => "error",
            };
            Some(format!("an NTSTATUS: {severity}, facility {facility}"))
        }
        _ => None,
    }
}

const HRESULT_FACILITIES: [(u32, &str); 14] = [
    (0, "general"),
    (1, "RPC"),
    (3, "storage"),
    (4, "interface"),
    (7, "Win32"),
    (8, "Windows"),
    (9, "security"),
    (10, "control"),
    (11, "certificate"),
    (15, "setup"),
    (36, "Windows Update"),
    (48, "state management"),
    (49, "BitLocker"),
    (2047, "all bits set"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn each(kind: Kind, mut test: impl FnMut(u32, &str)) -> usize {
        let mut count = 0;
        read(table(kind).unwrap(), |code, name| {
            test(code, name);
            count += 1;
            true
        });
        count
    }

    #[test]
    fn the_table_is_whole_and_small() {
        assert!(TABLE.len() <= 400 * 1024, "{}", TABLE.len());
        for (kind, least) in [
            (Kind::SystemError, 3_000),
            (Kind::Ntstatus, 2_500),
            (Kind::Hresult, 6_000),
            (Kind::Stop, 400),
        ] {
            let mut before = None;
            let count = each(kind, |code, name| {
                assert!(before.is_none_or(|before| before < code), "{name}");
                before = Some(code);
                let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
                assert!(name.len() > 3 && name.chars().all(plain), "{name}");
            });
            assert!(count >= least, "{kind:?} {count}");
        }
    }

    #[test]
    fn numbers_have_their_names() {
        for (kind, code, want) in [
            (Kind::SystemError, 0, "ERROR_SUCCESS"),
            (Kind::SystemError, 5, "ERROR_ACCESS_DENIED"),
            (Kind::SystemError, 1009, "ERROR_BADDB"),
            (Kind::SystemError, 1726, "RPC_S_CALL_FAILED"),
            (Kind::SystemError, 10061, "WSAECONNREFUSED"),
            (
                Kind::Ntstatus,
                0xC000_0218,
                "STATUS_CANNOT_LOAD_REGISTRY_FILE",
            ),
            (Kind::Hresult, 0x8009_030C, "SEC_E_LOGON_DENIED"),
            (Kind::Stop, 0x7B, "INACCESSIBLE_BOOT_DEVICE"),
        ] {
            assert_eq!(name(kind, code).as_deref(), Some(want));
            assert_eq!(numbered(&want.to_lowercase()), Some((kind, code)), "{want}");
        }
        assert_eq!(name(Kind::SystemError, 0xFFFF_FFFF), None);
        assert_eq!(name(Kind::Event, 5), None);
    }

    /// All of them, a few in one text.
    #[test]
    fn every_constant_answers_by_name_and_by_number() {
        const TOGETHER: usize = 5;
        let library = crate::explain::Library::built_in().unwrap();
        let mut tried = 0;
        for kind in [Kind::SystemError, Kind::Ntstatus, Kind::Hresult, Kind::Stop] {
            let mut all = Vec::new();
            each(kind, |code, name| all.push((code, name.to_owned())));
            // The data is the same on Windows, where this takes minutes under Wine.
            let stride = if cfg!(windows) { 61 } else { 1 };
            for some in all.chunks(TOGETHER).step_by(stride) {
                let numbers = some.iter().map(|(code, _)| match kind {
                    Kind::SystemError => format!("system error {code}"),
                    Kind::Stop => format!("stop {code:#x}"),
                    Kind::Ntstatus => format!("status {code:#010x}"),
                    _ => format!("error {code:#010x}"),
                });
                let numbers = numbers.collect::<Vec<String>>().join(", ");
                let answer = library.look_up(&numbers, false, &[]);
                let answer = answer.unwrap_or_else(|missed| panic!("{numbers}: {missed:?}"));
                let readings = answer.codes.iter().flat_map(|code| &code.readings);
                let codes: Vec<u32> = readings.map(|reading| reading.code).collect();
                let is_read = |(code, _): &(u32, String)| codes.contains(code);
                assert!(some.iter().all(is_read), "{numbers}: {codes:x?}");
                let named: Vec<&str> = some.iter().map(|(_, name)| name.as_str()).collect();
                let asked: Vec<&str> = named
                    .iter()
                    .copied()
                    .filter(|name| name.len() > 5 && name.contains('_'))
                    .collect();
                if !asked.is_empty() {
                    let asked = asked.join(" ");
                    let answer = library.look_up(&asked, false, &[]);
                    let answer = answer.unwrap_or_else(|missed| panic!("{asked}: {missed:?}"));
                    for name in asked.split(' ') {
                        // A name may stand for a number of more than one kind: then for the first.
                        let (_, code) = numbered(name).unwrap();
                        let readings = answer.codes.iter().flat_map(|code| &code.readings);
                        let mut codes = readings.map(|reading| reading.code);
                        assert!(codes.any(|read| read == code), "{name}: {code:x?}");
                    }
                }
                tried += some.len();
            }
        }
        let least = if cfg!(windows) { 200 } else { 13_000 };
        assert!(tried > least, "{tried}");
    }

    #[test]
    fn every_mapped_number_has_a_name_on_both_sides() {
        assert!(MAPPED.is_sorted_by_key(|(status, _)| *status));
        for (status, error) in MAPPED {
            assert!(name(Kind::Ntstatus, status).is_some(), "{status:#x}");
            assert!(name(Kind::SystemError, error).is_some(), "{error}");
        }
    }

    #[test]
    fn a_number_in_a_number_is_found() {
        let table = [
            (Kind::Hresult, 0x8007_03F1, Some((Kind::SystemError, 1009))),
            (
                Kind::Hresult,
                0xD000_0034,
                Some((Kind::Ntstatus, 0xC000_0034)),
            ),
            (Kind::Ntstatus, 0xC000_014C, Some((Kind::SystemError, 1009))),
            (Kind::Hresult, 0x8009_030C, None),
            (Kind::Ntstatus, 0xC000_0399, None),
        ];
        for (kind, code, want) in table {
            assert_eq!(inner(kind, code), want, "{code:#x}");
        }
    }
}
