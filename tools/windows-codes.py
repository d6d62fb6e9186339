#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes data/windows-codes.txt: the name of every Win32, NTSTATUS, HRESULT and stop code.

The names and numbers are facts, taken from the crate windows-sys (crates.io), which Microsoft
makes from its own metadata. No message texts are taken; the crate has none.

    cargo fetch in a package that depends on windows-sys, then
    tools/windows-codes.py ~/.cargo/registry/src/*/windows-sys-0.61.2 > data/windows-codes.txt

The form, for src/explain/names.rs: one table after the other, each begun by a line "= NAME". In
a table the codes ascend. A line is DELTA, a letter and a suffix: DELTA is how much greater the
code is than the one before, in upper-case hex and left out where it is 1; the letter says how
much of the name before is kept, "a" for nothing, "b" for one character and so on; the suffix is
the rest of the name.
"""
import pathlib
import re
import sys

LINE = re.compile(r"^pub const ([A-Z][A-Za-z0-9_]*): ([A-Za-z0-9_:]+) = (0x[0-9A-Fa-f]+|\d+)_?(?:u32|i32)?(?: as _)?;")
# Another constant of the same number that says more.
BETTER = {
    ("win32", 0): "ERROR_SUCCESS",
    ("ntstatus", 0): "STATUS_SUCCESS",
    ("hresult", 0): "S_OK",
    ("hresult", 1): "S_FALSE",
}
# Ranges and markers, no errors.
NO_ERROR = re.compile(r"_(FIRST|LAST|BASE|MIN|MAX|RANGE_START|RANGE_END)$|^FACILITY|^(SEVERITY|CO_E_FIRST)")
TABLES = {
    "WIN32_ERROR": "win32",
    "RPC_STATUS": "win32",
    "WSA_ERROR": "win32",
    "NTSTATUS": "ntstatus",
    "HRESULT": "hresult",
    "BUGCHECK_ERROR": "stop",
}
USUAL = {"win32": "ERROR_", "ntstatus": "STATUS_", "hresult": ("E_", "S_"), "stop": ""}
KEPT = "abcdefghijklmnopqrstuvwxyz"


def main():
    root = pathlib.Path(sys.argv[1]) / "src" / "Windows"
    tables = {"win32": {}, "ntstatus": {}, "hresult": {}, "stop": {}}
    # Foundation first: its names are the usual ones.
    files = sorted(root.rglob("mod.rs"), key=lambda p: ("Foundation" not in p.parts, str(p)))
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            found = LINE.match(line)
            if not found:
                continue
            name, kind, number = found.groups()
            kind = kind.rsplit("::", 1)[-1]
            table = TABLES.get(kind)
            if table is None or NO_ERROR.search(name):
                continue
            code = int(number, 0)
            # Where a number has several names, that of its own family is the usual one.
            usual = USUAL[table]
            old = tables[table].get(code)
            if old is None or (name.startswith(usual) and not old.startswith(usual)):
                tables[table][code] = name
    for (table, number), name in BETTER.items():
        tables[table][number] = name
    out = []
    for table, codes in tables.items():
        out.append(f"= {table}")
        before, code_before = "", -1
        for code in sorted(codes):
            name = codes[code]
            kept = 0
            while kept < min(len(before), len(name), 25) and before[kept] == name[kept]:
                kept += 1
            delta = code - code_before
            step = "" if delta == 1 else f"{delta:X}"
            out.append(f"{step}{KEPT[kept]}{name[kept:]}")
            before, code_before = name, code
    sys.stdout.write("\n".join(out) + "\n")
    for table, codes in tables.items():
        print(f"{table}: {len(codes)}", file=sys.stderr)


main()
