// SPDX-License-Identifier: GPL-3.0-or-later
//! Bad profiles, and what is said about each.

use super::{with_entry, with_key, with_keys, with_value};

/// The name of the case, the profile, and the whole error as it is printed.
pub(crate) fn table() -> Vec<(&'static str, String, &'static str)> {
    vec![
        (
            "an unknown field",
            with_value("        dwrd: 0"),
            r"x.yaml:10:9: `dwrd` is not a field of a value entry
   10 |         dwrd: 0
      |         ^
   write `dword`",
        ),
        (
            "a field of another spelling",
            with_value("        REG_DWORD: 0"),
            r"x.yaml:10:9: `REG_DWORD` is not a field of a value entry
   10 |         REG_DWORD: 0
      |         ^
   write `dword`",
        ),
        (
            "a field that is like none",
            with_value(
                r"        colour: 0
        dword: 1",
            ),
            r"x.yaml:10:9: `colour` is not a field of a value entry
   10 |         colour: 0
      |         ^
   remove it, or write one of: name, why, if-exists, if-one-of, min, max, same-text, separator, if-tokens, literal, ... (all: hivemend help profiles)",
        ),
        (
            "a field twice",
            with_value(
                r"        dword: 0
        dword: 1",
            ),
            r"x.yaml:11:9: `dword` is here twice, first in line 10
   11 |         dword: 1
      |         ^
   keep one of them",
        ),
        (
            "a dword of reg.exe without 0x",
            with_value("        dword: ffffffff"),
            r"x.yaml:10:16: `dword`: `ffffffff` is not a number here
   10 |         dword: ffffffff
      |                ^
   write 0xffffffff",
        ),
        (
            "a dword with a leading zero",
            with_value("        dword: 08"),
            r"x.yaml:10:16: `dword`: `08` is not a number here
   10 |         dword: 08
      |                ^
   write 8, or 0x08 if it is hexadecimal as in a .reg file",
        ),
        (
            "a dword of a .reg file",
            with_value("        dword: 0000000a"),
            r"x.yaml:10:16: `dword`: `0000000a` is not a number here
   10 |         dword: 0000000a
      |                ^
   write 0x0000000a",
        ),
        (
            "a quoted dword",
            with_value(r#"        dword: "0""#),
            r#"x.yaml:10:16: `dword`: "0" in quotes is text, not a number
   10 |         dword: "0"
      |                ^
   write 0 without the quotes"#,
        ),
        (
            "a negative dword",
            with_value("        dword: -1"),
            r"x.yaml:10:16: `dword`: `-1` is not a number here
   10 |         dword: -1
      |                ^
   there are no negative numbers in the registry: -1 is 0xFFFFFFFF as a dword",
        ),
        (
            "a dword that is too large",
            with_value("        dword: 0x100000000"),
            r"x.yaml:10:16: `dword`: 0x100000000 is too large
   10 |         dword: 0x100000000
      |                ^
   the largest is 0xFFFFFFFF (4294967295); qword holds more",
        ),
        (
            "a qword that is too large",
            with_value("        qword: 0x10000000000000000"),
            r"x.yaml:10:16: `qword`: 0x10000000000000000 is too large
   10 |         qword: 0x10000000000000000
      |                ^
   the largest is 0xFFFFFFFFFFFFFFFF (18446744073709551615)",
        ),
        (
            "an octal dword",
            with_value("        dword: 0o17"),
            r"x.yaml:10:16: `dword`: `0o17` is not a number here
   10 |         dword: 0o17
      |                ^
   write it in decimal, or in hexadecimal behind 0x",
        ),
        (
            "an empty dword",
            with_value("        dword:"),
            r"x.yaml:10:9: `dword`: there is no number here
   10 |         dword:
      |         ^
   write it in decimal, or in hexadecimal behind 0x",
        ),
        (
            "a list for a dword",
            with_value("        dword: [1]"),
            r"x.yaml:10:16: `dword` is a list, not a single value
   10 |         dword: [1]
      |                ^
   text that begins with [ or { needs quotes",
        ),
        (
            "a yes for true",
            with_value("        absent: yes"),
            r"x.yaml:10:17: `absent`: `yes` is not true or false
   10 |         absent: yes
      |                 ^
   write true",
        ),
        (
            "absent: false",
            with_value("        absent: false"),
            r"x.yaml:10:17: `absent: false` says nothing
   10 |         absent: false
      |                 ^
   write `absent: true`, or leave it out and say what should be there",
        ),
        (
            "absent with data",
            with_value(
                r"        absent: true
        dword: 0",
            ),
            r"x.yaml:11:9: `dword` stands beside `absent`
   11 |         dword: 0
      |         ^
   keep one of them; several good values are `one-of: [ {...}, {...} ]`",
        ),
        (
            "two types",
            with_value(
                r"        dword: 0
        sz: a",
            ),
            r"x.yaml:11:9: `sz` stands beside `dword`
   11 |         sz: a
      |         ^
   keep one of them; several good values are `one-of: [ {...}, {...} ]`",
        ),
        (
            "no data",
            with_value("        if-exists: true"),
            r"x.yaml:8:9: a value entry does not say what the value should be
    8 |       - name: A
      |         ^
   add its type with the data, as in `dword: 1` or `sz: text`, or `absent: true` (all: hivemend help profiles)",
        ),
        (
            "a word that is a boolean elsewhere",
            with_value("        sz: off"),
            r#"x.yaml:10:13: `sz`: `off` without quotes is yes or no in YAML
   10 |         sz: off
      |             ^
   write "off""#,
        ),
        (
            "a number for text",
            with_value("        sz: 0x10"),
            r#"x.yaml:10:13: `sz`: `0x10` without quotes is a number in YAML
   10 |         sz: 0x10
      |             ^
   write "0x10""#,
        ),
        (
            "empty text without quotes",
            with_value("        sz:"),
            r#"x.yaml:10:9: `sz`: there is no text here
   10 |         sz:
      |         ^
   write "" if it is meant to be empty"#,
        ),
        (
            "a NUL in text",
            with_value(r#"        sz: "a\0b""#),
            r#"x.yaml:10:13: `sz` has a NUL in it, which ends a string
   10 |         sz: "a\0b"
      |             ^
   leave it out; the end is added by itself"#,
        ),
        (
            "an empty member of multi-sz",
            with_value(r#"        multi-sz: [a, ""]"#),
            r#"x.yaml:10:9: `multi-sz` has an empty member or a NUL, which ends the list
   10 |         multi-sz: [a, ""]
      |         ^
   leave it out; the ends are added by themselves"#,
        ),
        (
            "text for multi-sz",
            with_value("        multi-sz: a"),
            r"x.yaml:10:19: `multi-sz` is a single value, not a list
   10 |         multi-sz: a
      |                   ^
   write a list: each member on a line of its own behind `- `, or [ ] around all",
        ),
        (
            "half a byte",
            with_value("        binary: 1,2"),
            r"x.yaml:10:17: `binary`: `1` does not end with a whole byte
   10 |         binary: 1,2
      |                 ^
   a byte is two hexadecimal digits: write 01, not 1",
        ),
        (
            "no hexadecimal",
            with_value("        binary: 0x01"),
            r"x.yaml:10:17: `binary`: `x` is not a hexadecimal digit
   10 |         binary: 0x01
      |                 ^
   write pairs of hexadecimal digits: 01 02 ff, or 0102ff, or hex:01,02,ff",
        ),
        (
            "one choice",
            with_value("        one-of: [ {dword: 1} ]"),
            r"x.yaml:10:9: `one-of` needs two choices at least
   10 |         one-of: [ {dword: 1} ]
      |         ^
   for one good value write its type: `dword: 1`",
        ),
        (
            "a choice twice",
            with_value("        one-of: [ {dword: 1}, {dword: 2}, {dword: 0x1} ]"),
            r"x.yaml:10:43: this choice of `one-of` is here twice
   10 |         one-of: [ {dword: 1}, {dword: 2}, {dword: 0x1} ]
      |                                           ^
   keep one of them",
        ),
        (
            "a choice without type",
            with_value("        one-of: [ 1, 2 ]"),
            r"x.yaml:10:19: a choice of `one-of` is a single value, without a type
   10 |         one-of: [ 1, 2 ]
      |                   ^
   write each choice with its type, as in `{dword: 1}`

x.yaml:10:22: a choice of `one-of` is a single value, without a type
   10 |         one-of: [ 1, 2 ]
      |                      ^
   write each choice with its type, as in `{dword: 1}`",
        ),
        (
            "a choice of absent",
            with_value(
                r"        one-of:
          - absent: true
          - dword: 1
          - dword: 2",
            ),
            r"x.yaml:11:13: `absent` is not a field of a choice of one-of
   11 |           - absent: true
      |             ^
   remove it, or write one of: none, sz, expand-sz, binary, dword, dword-big-endian, link, multi-sz, resource-list, full-resource-descriptor, ... (all: hivemend help profiles)

x.yaml:11:13: a choice of `one-of` has no type
   11 |           - absent: true
      |             ^
   write each choice with its type, as in `{dword: 1}`",
        ),
        (
            "a known type by number",
            with_value(
                r"        type: 4
        data: 00 00 00 00",
            ),
            r"x.yaml:10:15: type 0x4 has a field of its own
   10 |         type: 4
      |               ^
   write `dword:` and its data",
        ),
        (
            "a type without data",
            with_value("        type: 0x10"),
            r"x.yaml:8:9: an entry with `type` has no `data`
    8 |       - name: A
      |         ^
   add `data:` with the bytes in hexadecimal",
        ),
        (
            "data without a type",
            with_value("        data: 00"),
            r"x.yaml:10:9: `data` has no `type` beside it
   10 |         data: 00
      |         ^
   write the type's own field (`dword: 0`), or add `type: 0x...`",
        ),
        (
            "data beside another type",
            with_value(
                r"        dword: 1
        data: 00",
            ),
            r"x.yaml:11:9: `data` stands beside `dword`
   11 |         data: 00
      |         ^
   leave it out: `data` goes with `type: 0x...`",
        ),
        (
            "no why",
            with_entry(
                r"      - name: A
        dword: 0",
            ),
            r"x.yaml:8:9: a value entry has no `why`
    8 |       - name: A
      |         ^
   add `why:` and say in a few words what this value does for the machine",
        ),
        (
            "an empty why",
            with_entry(
                r"      - name: A
        dword: 0
        why: ''",
            ),
            r"x.yaml:10:14: `why` is empty
   10 |         why: ''
      |              ^
   say it in a few words",
        ),
        (
            "no name",
            with_entry(
                r"      - dword: 0
        why: because",
            ),
            r#"x.yaml:8:9: a value entry has no `name`
    8 |       - dword: 0
      |         ^
   add `name:`; the unnamed (default) value of a key is `name: ""`"#,
        ),
        (
            "an empty name without quotes",
            with_entry(
                r"      - name:
        dword: 0
        why: because",
            ),
            r#"x.yaml:8:9: `name`: there is no text here
    8 |       - name:
      |         ^
   write "" if it is meant to be empty"#,
        ),
        (
            "a name that is a number",
            with_entry(
                r"      - name: 1
        dword: 0
        why: because",
            ),
            r#"x.yaml:8:15: `name`: `1` without quotes is a number in YAML
    8 |       - name: 1
      |               ^
   write "1""#,
        ),
        (
            "a value that is no map",
            with_entry(
                r"      - SecurityLayer: 0
        why: because
      - just text",
            ),
            r#"x.yaml:8:9: `SecurityLayer` is not a field of a value entry
    8 |       - SecurityLayer: 0
      |         ^
   remove it, or write one of: name, why, if-exists, if-one-of, min, max, same-text, separator, if-tokens, literal, ... (all: hivemend help profiles)

x.yaml:8:9: a value entry has no `name`
    8 |       - SecurityLayer: 0
      |         ^
   add `name:`; the unnamed (default) value of a key is `name: ""`

x.yaml:8:9: a value entry does not say what the value should be
    8 |       - SecurityLayer: 0
      |         ^
   add its type with the data, as in `dword: 1` or `sz: text`, or `absent: true` (all: hivemend help profiles)

x.yaml:10:9: a value entry is a single value, not `field: value` lines
   10 |       - just text
      |         ^
   write its fields below each other: name, why, if-exists, if-one-of, min, max, same-text, separator, if-tokens, literal, ... (all: hivemend help profiles)"#,
        ),
        (
            "no values in the list",
            with_keys(
                r"  - key: HKLM\SOFTWARE\Acme
    values: []",
            ),
            r"x.yaml:7:5: `values` is an empty list
    7 |     values: []
      |     ^
   add `- name: ...` below it, or `absent: true` to the key",
        ),
        (
            "values that are no list",
            with_keys(
                r"  - key: HKLM\SOFTWARE\Acme
    values:
      name: A",
            ),
            r"x.yaml:8:7: `values` is a map, not a list
    8 |       name: A
      |       ^
   write a list: each member on a line of its own behind `- `, or [ ] around all",
        ),
        (
            "a key that says nothing",
            with_keys(r"  - key: HKLM\SOFTWARE\Acme"),
            r"x.yaml:6:5: a key entry says nothing about its key
    6 |   - key: HKLM\SOFTWARE\Acme
      |     ^
   add `values:`, or `absent: true` if the key should not be there",
        ),
        (
            "an absent key with values",
            with_keys(
                r"  - key: HKLM\SOFTWARE\Acme
    absent: true
    why: because
    values:
      - {name: A, dword: 1, why: because}",
            ),
            r"x.yaml:9:5: the key is `absent` and has `values`
    9 |     values:
      |     ^
   a key that is deleted takes its values along: keep one of the two",
        ),
        (
            "lowers-security at a key",
            with_keys(
                r"  - key: HKLM\SOFTWARE\Acme
    lowers-security: true
    values:
      - {name: A, dword: 1, why: because}",
            ),
            r"x.yaml:7:5: `lowers-security` is a field of a value, or of an `absent` key
    7 |     lowers-security: true
      |     ^
   move it to each value that lowers security",
        ),
        (
            "no keys",
            with_keys(""),
            r"x.yaml:5:1: `keys` is empty, not a list
    5 | keys:
      | ^
   write a list: each member on a line of its own behind `- `, or [ ] around all",
        ),
        (
            "a key with doubled backslashes",
            with_key(r"HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa"),
            r"x.yaml:6:10: the key has an empty name: a backslash too many
    6 |   - key: HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa
      |          ^
   write `HKLM\SYSTEM\CurrentControlSet\Control\Lsa`",
        ),
        (
            "a key with a trailing backslash",
            with_key(r"HKLM\SOFTWARE\Acme\"),
            r"x.yaml:6:10: the key has an empty name: a backslash too many
    6 |   - key: HKLM\SOFTWARE\Acme\
      |          ^
   write `HKLM\SOFTWARE\Acme`",
        ),
        (
            "a key with slashes",
            with_key("HKLM/SOFTWARE/Acme"),
            r"x.yaml:6:10: a key is written with backslashes
    6 |   - key: HKLM/SOFTWARE/Acme
      |          ^
   write `HKLM\SOFTWARE\Acme`",
        ),
        (
            "a key of a .reg file",
            with_key(r"'[HKEY_LOCAL_MACHINE\SOFTWARE\Acme]'"),
            r"x.yaml:6:10: a key is written without brackets
    6 |   - key: '[HKEY_LOCAL_MACHINE\SOFTWARE\Acme]'
      |          ^
   write `HKEY_LOCAL_MACHINE\SOFTWARE\Acme`; `[-...]` of a .reg file is `absent: true` here",
        ),
        (
            "a key without HKLM",
            with_key(r"SYSTEM\CurrentControlSet\Control\Lsa"),
            r"x.yaml:6:10: the key does not begin with HKLM
    6 |   - key: SYSTEM\CurrentControlSet\Control\Lsa
      |          ^
   write `HKLM\SYSTEM\CurrentControlSet\Control\Lsa`",
        ),
        (
            "a key without its hive",
            with_key(r"CurrentControlSet\Control\Lsa"),
            r"x.yaml:6:10: the key does not begin with a hive
    6 |   - key: CurrentControlSet\Control\Lsa
      |          ^
   write `HKLM\SYSTEM\CurrentControlSet\Control\Lsa`",
        ),
        (
            "a key of a user",
            with_key(r"HKEY_CURRENT_USER\Software\Acme"),
            r"x.yaml:6:10: `HKEY_CURRENT_USER` is not a hive that hivemend edits (SYSTEM, SOFTWARE)
    6 |   - key: HKEY_CURRENT_USER\Software\Acme
      |          ^
   it is in the hive of a user, the file NTUSER.DAT in the profile folder; what holds for every user is below `HKLM\SOFTWARE`",
        ),
        (
            "a key in another hive",
            with_key(r"HKLM\SAM\SAM"),
            r"x.yaml:6:10: `SAM` is not a hive that hivemend edits (SYSTEM, SOFTWARE)
    6 |   - key: HKLM\SAM\SAM
      |          ^
   it is a hive of its own, the file of that name beside SYSTEM; `hivemend check` reads it",
        ),
        (
            "a control set by itself",
            with_key(r"HKLM\SYSTEM\CurrentControlSet"),
            r"x.yaml:6:10: this is a whole control set
    6 |   - key: HKLM\SYSTEM\CurrentControlSet
      |          ^
   name a key in it: a control set is never created or deleted",
        ),
        (
            "a hive by itself",
            with_key(r"HKLM\SOFTWARE"),
            r"x.yaml:6:10: this is a whole hive
    6 |   - key: HKLM\SOFTWARE
      |          ^
   name a key in it: the root of a hive is never created or deleted",
        ),
        (
            "a control set with a bad number",
            with_key(r"HKLM\SYSTEM\ControlSet1\Control\Lsa"),
            r"x.yaml:6:10: `ControlSet1` is not a control set
    6 |   - key: HKLM\SYSTEM\ControlSet1\Control\Lsa
      |          ^
   write `CurrentControlSet` for each control set there is, or `ControlSet001` for one",
        ),
        (
            "a control set that is misspelt",
            with_key(r"HKLM\SYSTEM\CurrentControlSet001\Control\Lsa"),
            r"x.yaml:6:10: `CurrentControlSet001` is not a control set
    6 |   - key: HKLM\SYSTEM\CurrentControlSet001\Control\Lsa
      |          ^
   write `CurrentControlSet` for each control set there is, or `ControlSet001` for one",
        ),
        (
            "a key in double quotes",
            with_key(r#""HKLM\SOFTWARE\Acme""#),
            r#"x.yaml:6:10: this is not YAML: while parsing a quoted scalar, found unknown escape character
    6 |   - key: "HKLM\SOFTWARE\Acme"
      |          ^
   write paths without quotes, or in 'single quotes': a backslash in double quotes is special"#,
        ),
        (
            "a control set to be deleted",
            with_keys(
                r"  - key: BROKENSYSTEM\ControlSet002
    absent: true
    why: because",
            ),
            r"x.yaml:6:10: this is a whole control set
    6 |   - key: BROKENSYSTEM\ControlSet002
      |          ^
   name a key in it: a control set is never created or deleted",
        ),
        (
            "Select to be deleted",
            with_keys(
                r"  - key: HKLM\SYSTEM\select
    absent: true
    why: because",
            ),
            r"x.yaml:6:10: Windows cannot start without this key: it is never deleted
    6 |   - key: HKLM\SYSTEM\select
      |          ^
   name the key below it that should not be there",
        ),
        (
            "all services to be deleted",
            with_keys(
                r"  - key: HKLM\SYSTEM\CurrentControlSet\Services
    absent: true
    why: because",
            ),
            r"x.yaml:6:10: Windows cannot start without this key: it is never deleted
    6 |   - key: HKLM\SYSTEM\CurrentControlSet\Services
      |          ^
   name the key below it that should not be there",
        ),
        (
            "a value of Select to be deleted",
            with_keys(
                r"  - key: HKLM\SYSTEM\Select
    values:
      - {name: Current, absent: true, why: because}",
            ),
            r"x.yaml:8:9: a value of `Select` is never deleted: it says which control set boots
    8 |       - {name: Current, absent: true, why: because}
      |         ^
   write the number that it should be: `dword: 1`",
        ),
        (
            "two entries for one value",
            with_keys(
                r"  - key: HKLM\SYSTEM\CurrentControlSet\Control\Lsa
    values:
      - {name: A, dword: 1, why: because}
  - key: BROKENSYSTEM\ControlSet001\CONTROL\lsa
    values:
      - {name: a, dword: 1, why: because}",
            ),
            r"x.yaml:11:9: the value `A` of this key has an entry already
   11 |       - {name: a, dword: 1, why: because}
      |         ^
   keep one of the two; the first is in line 8",
        ),
        (
            "a value in an absent key",
            with_keys(
                r"  - key: HKLM\SOFTWARE\Acme\Sub
    values:
      - {name: A, dword: 1, why: because}
  - key: HKLM\SOFTWARE\acme
    absent: true
    why: because",
            ),
            r"x.yaml:9:5: one entry wants this key `absent`, the other a value in it
    9 |   - key: HKLM\SOFTWARE\acme
      |     ^
   keep one of the two; the first is in line 8",
        ),
        (
            "another schema",
            r"schema: hivemend.profile/2
new: thing
"
            .to_owned(),
            r"x.yaml:1:9: `hivemend.profile/2` is not a schema that this hivemend knows
    1 | schema: hivemend.profile/2
      |         ^
   write `schema: hivemend.profile/1`",
        ),
        (
            "no head",
            r"keys:
  - key: HKLM\SOFTWARE\Acme
    values:
      - {name: A, dword: 1, why: because}
"
            .to_owned(),
            r"x.yaml:1:1: a profile has no `schema`
    1 | keys:
      | ^
   write `schema: hivemend.profile/1`

x.yaml:1:1: a profile has no `id`
    1 | keys:
      | ^
   add `id: my-profile`: the name it is called by

x.yaml:1:1: a profile has no `title`
    1 | keys:
      | ^
   add `title:` with one line that says what it is for

x.yaml:1:1: a profile has no `source`
    1 | keys:
      | ^
   add `source:` and say where the values come from",
        ),
        (
            "a bad id",
            r"schema: hivemend.profile/1
id: My Profile
title: X
source: me
keys:
  - key: HKLM\SOFTWARE\Acme
    values:
      - {name: A, dword: 1, why: because}
"
            .to_owned(),
            r"x.yaml:2:5: `My Profile` cannot be the id of a profile
    2 | id: My Profile
      |     ^
   write lower-case letters, digits and hyphens, a letter first, 64 at most",
        ),
        (
            "its own undo",
            r"schema: hivemend.profile/1
id: x
title: X
source: me
undo: x
keys:
  - key: HKLM\SOFTWARE\Acme
    values:
      - {name: A, dword: 1, why: because}
"
            .to_owned(),
            r"x.yaml:5:7: a profile cannot be its own `undo`
    5 | undo: x
      |       ^
   name the profile that takes this one back, or leave `undo` out",
        ),
        (
            "an empty file",
            "".to_owned(),
            r"x.yaml:1:1: the profile is empty
    1 | 
      | ^
   begin with `schema: hivemend.profile/1`; docs/profiles.md has an example",
        ),
        (
            "an alias",
            with_value("        dword: *a"),
            r"x.yaml:10:16: YAML aliases (`*name`) are not allowed in a profile
   10 |         dword: *a
      |                ^
   write the value out; text with a `*` in front needs quotes",
        ),
        (
            "an anchor",
            with_value("        dword: &a 1"),
            r"x.yaml:10:16: YAML anchors (`&name`) are not allowed in a profile
   10 |         dword: &a 1
      |                ^
   remove it; text with a `&` in front needs quotes",
        ),
        (
            "a tag",
            with_value("        dword: !!int 1"),
            r"x.yaml:10:16: YAML tags (`!name`) are not allowed in a profile
   10 |         dword: !!int 1
      |                ^
   remove it; text with a `!` in front needs quotes",
        ),
        (
            "a merge key",
            with_value(
                r"        dword: 1
        <<: {sz: a}",
            ),
            r"x.yaml:11:9: `<<` is not a field of a value entry
   11 |         <<: {sz: a}
      |         ^
   remove it, or write one of: name, why, if-exists, if-one-of, min, max, same-text, separator, if-tokens, literal, ... (all: hivemend help profiles)",
        ),
        (
            "two documents",
            r"schema: hivemend.profile/1
---
id: x
"
            .to_owned(),
            r"x.yaml:2:1: a second YAML document begins here
    2 | ---
      | ^
   one profile is one file: remove the `---` line",
        ),
        (
            "a tab for indentation",
            with_value("\tdword: 1"),
            r"x.yaml:10:1: this is not YAML: while scanning a plain scalar, found a tab
   10 |  dword: 1
      | ^
   indent with blanks: YAML allows no tabs",
        ),
        (
            "text with a colon",
            with_entry(
                r"      - name: A
        dword: 0
        why: Native: not TLS",
            ),
            r"x.yaml:10:20: this is not YAML: mapping values are not allowed in this context
   10 |         why: Native: not TLS
      |                    ^
   put text that holds `: ` in 'single quotes', and give fields of one entry the same indent",
        ),
        (
            "a percent sign in front",
            with_value(r"        expand-sz: %SystemRoot%\System32"),
            r"x.yaml:10:20: this is not YAML: unexpected character: `%'
   10 |         expand-sz: %SystemRoot%\System32
      |                    ^
   text that begins with % @ or ` needs 'single quotes'",
        ),
        (
            "a quote that is not closed",
            with_value("        sz: 'it"),
            r"x.yaml:10:13: this is not YAML: while scanning a quoted scalar, found unexpected end of stream
   10 |         sz: 'it
      |             ^
   close the quote that begins here; an apostrophe inside 'single quotes' is written ''",
        ),
        (
            "a terminal escape in the file",
            with_value("        sz: a\u{1b}[2J"),
            r"x.yaml:10:14: there is a control character, `\u{1b}`, here
   10 |         sz: a\u{1b}[2J
      |              ^
   remove it: a profile is plain text",
        ),
        (
            "a bidi override in a field",
            with_value("        dw\u{202e}ord: 1"),
            r"x.yaml:10:9: `dw\u{202e}ord` is not a field of a value entry
   10 |         dw\u{202e}ord: 1
      |         ^
   write `dword`",
        ),
        (
            "windows line ends",
            with_value("        dwrd: 0").replace('\n', "\r\n"),
            r"x.yaml:10:9: `dwrd` is not a field of a value entry
   10 |         dwrd: 0
      |         ^
   write `dword`",
        ),
        (
            "a .reg file",
            "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Acme]\r\n"
                .to_owned(),
            r"x.yaml: this is a .reg file, not a profile
   write its keys and values as a profile: docs/profiles.md has an example",
        ),
        (
            "a hive",
            "regf\u{1}\u{0}\u{0}\u{0}".to_owned(),
            r"x.yaml: this is a registry hive, not a profile
   name the hive with --system or --software",
        ),
        (
            "several errors at once",
            with_entry(
                r"      - name: A
        dword: 08
        why: because
      - nam: B
        dword: 1
        why: because
      - name: C
        sz: yes",
            ),
            r#"x.yaml:9:16: `dword`: `08` is not a number here
    9 |         dword: 08
      |                ^
   write 8, or 0x08 if it is hexadecimal as in a .reg file

x.yaml:11:9: `nam` is not a field of a value entry
   11 |       - nam: B
      |         ^
   write `name`

x.yaml:14:9: a value entry has no `why`
   14 |       - name: C
      |         ^
   add `why:` and say in a few words what this value does for the machine

x.yaml:15:13: `sz`: `yes` without quotes is yes or no in YAML
   15 |         sz: yes
      |             ^
   write "yes""#,
        ),
    ]
}
