#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What large inputs cost: python3 benches/cost/run.py [--program NAME=FILE ...] [--only WORDS]

Makes disks (cargo run --release --example cost-inputs) and profiles in target/cost, and runs each row
with each program: seconds of wall time, of user time, and peak memory in MiB. Where other work shares
the machine, user time is the one to trust. What takes longer than --limit seconds is ended; what
ends with another code than 0 has it behind its figures.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CONFIG = "Windows/System32/config"
POLICY = "Windows/System32/GroupPolicy/Machine/Registry.pol"


class Row:
    """One command; the ones before it on the same disk are run too, and measured in their own rows."""

    def __init__(self, group, size, step, disk, *words, files=(), first=False):
        self.group, self.size, self.step, self.disk = group, size, step, disk
        self.words, self.files, self.first = [str(word) for word in words], files, first
        self.found = {}


def profile(path, name, rules, include=()):
    """rules: (key, lines below it)."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"schema: hivemend.profile/1\nid: {name}\ntitle: A measurement\n"
                   "source: a measurement\nsymptoms: [ none ]\n")
        if include:
            file.write("include:\n" + "".join(f"  - {other}\n" for other in include))
        file.write("keys:\n" if rules else "keys: []\n")
        for key, lines in rules:
            file.write(f"  - key: {key}\n" + "".join(f"    {line}\n" for line in lines))
    return path


def values(names, what):
    return ["values:"] + [f"  - {{ name: {name}, {what}, why: w }}" for name in names]


def deep(number):
    """A key of 500 levels that no other number has."""
    return "HKLM\\SOFTWARE\\" + "\\".join(["a"] * 490 + list(f"{number:010}"))


def policy_file(path, kinds):
    """A Registry.pol with these (key, value name, type, data)."""
    wide = lambda text: (text + "\0").encode("utf-16-le")
    entries = b""
    for key, name, kind, data in kinds:
        entries += (b"[\0" + wide(key) + b";\0" + wide(name) + b";\0" + kind.to_bytes(4, "little")
                    + b";\0" + len(data).to_bytes(4, "little") + b";\0" + data + b"]\0")
    path.write_bytes(b"PReg\1\0\0\0" + entries)


def rows(work):
    """Every row; profiles are written to `work`."""
    many = r"HKLM\SYSTEM\Setup\Many"
    found = []

    def run_of(group, size, disk, profile_file, *steps):
        """plan, apply, restore --values on one copy of a disk."""
        command = {
            "plan": ["plan", "DISK", "-p", profile_file],
            "plan, JSON": ["plan", "DISK", "-p", profile_file, "--format", "json"],
            "plan -o": ["plan", "DISK", "-p", profile_file, "-q", "-o", work / "plan.json"],
            "apply": ["apply", "-y", "DISK", "-p", profile_file],
            "apply --plan": ["apply", "-y", "DISK", "--plan", work / "plan.json"],
            "restore --values": ["restore", "-y", "DISK", "--values"],
        }
        for index, step in enumerate(steps):
            found.append(Row(group, size, step, disk, *command[step], first=index == 0))

    full = ("plan", "apply", "restore --values")
    for size in (1_000, 5_000, 20_000):
        names = [f"v{number}" for number in range(size)]
        rule = [(many, values(names, "dword: 0xFFFFFFFF"))]
        path = profile(work / f"existing-{size}.yaml", "existing", rule)
        run_of("entries on existing values of one key", size, f"values-{size}", path, *full)
        path = profile(work / f"new-{size}.yaml", "new", rule)
        run_of("entries on new values of a new key", size, "plain", path, *full)
        rule = [(many, values(names, "absent: true"))]
        path = profile(work / f"absent-{size}.yaml", "absent", rule)
        run_of("entries that delete the values of one key", size, f"values-{size}", path, *full)
    names = [f"x{number}" for number in range(20_000)]
    path = profile(work / "missing.yaml", "missing", [(many, values(names, "absent: true"))])
    run_of("entries on values that are absent, as wanted", 20_000, "values-20000", path, "plan")
    rule = [(many, values([name], "dword: 1")) for name in names[:10_000]]
    path = profile(work / "one-each.yaml", "one-each", rule)
    run_of("as many entries for one key, a value each", 10_000, "values-20000", path, *full)
    for size in (1_000, 20_000, 200_000):
        path = profile(work / "gone.yaml", "gone", [(many, ["absent: true", "why: w"])])
        run_of("a key that is deleted, by its values", size, f"values-{size}", path, *full)
    for size in (2_000, 4_000, 8_000, 12_000):
        rule = [(rf"HKLM\SYSTEM\Setup\M {n:05}", values(["v"], "dword: 1")) for n in range(size)]
        path = profile(work / f"made-{size}.yaml", "made", rule)
        run_of("created keys", size, "plain", path, *full)
    for size in (50, 200, 999):
        found.append(Row("diagnose, control sets", size, "diagnose", f"sets-{size}", "diagnose",
                         "DISK", first=True))
    path = "rdp-baseline"
    run_of("rdp-baseline, control sets", 999, "sets-999", path, "plan")
    for size in (15, 30, 60):
        folder = work / f"include-{size}"
        folder.mkdir(exist_ok=True)
        others = [f"./other-{number}.yaml" for number in range(size)]
        for number in range(size):
            rule = [(rf"HKLM\SYSTEM\Setup\Other {number}", values(["v"], "dword: 1"))]
            profile(folder / f"other-{number}.yaml", f"other-{number}", rule)
            profile(folder / f"by-{number}.yaml", f"by-{number}", rule, include=others)
        words = [word for number in range(size) for word in ("-p", folder / f"by-{number}.yaml")]
        found.append(Row("profiles that include the same others", size, "plan", "plain", "plan",
                         "DISK", *words, first=True))
    for absent in (False, True):
        for size in (20, 40, 80, 960):
            rule = [(deep(number), values(["v"], "dword: 1")) for number in range(size)]
            if absent:
                rule.append((r"HKLM\SOFTWARE\Gone", ["absent: true", "why: w"]))
            path = profile(work / f"deep-{size}-{absent}.yaml", "deep", rule)
            name = "keys of 500 levels" + (", one absent key" if absent else "")
            run_of(name, f"{size} ({path.stat().st_size // 1000} KB)", "plain", path,
                   *(full if size < 960 else full[:2]))
    for size in (200, 4_000):
        why = [(r"HKLM\SYSTEM\Setup\M\*",
                ["values:", "  - { name: v, dword: 2, why: " + "x" * 900_000 + " }"])]
        path = profile(work / "why.yaml", "why", why)
        steps = ("plan", "plan, JSON", "apply") if size == 200 else ("plan",)
        run_of("one why of 900 KB on many matches", size, f"matches-{size}", path, *steps)
    for size in (30, 60, 120, 4_000):
        names = ";".join(f"n{number:06}" for number in range(size * 1000 // 16))
        key = "SOFTWARE\\Policies\\Microsoft"
        file = work / f"keys-{size}.pol"
        policy_file(file, [(key, "**DeleteKeys", 1, (names + "\0").encode("utf-16-le"))])
        found.append(Row("diagnose, Registry.pol with one **DeleteKeys", f"{size} KB", "diagnose",
                         "plain", "diagnose", "DISK", files=((file, POLICY),), first=True))
    file = work / "entries.pol"
    key = "SOFTWARE\\Policies\\Microsoft\\Windows NT\\Terminal Services"
    policy_file(file, [(key, f"v{number}", 4, b"\1\0\0\0") for number in range(22_000)])
    found.append(Row("diagnose, Registry.pol of 22,000 entries", "4 MB", "diagnose", "plain",
                     "diagnose", "DISK", files=((file, POLICY),), first=True))
    rule = [(key.replace("SOFTWARE", "HKLM\\SOFTWARE", 1),
             values([f"v{number}" for number in range(15_000)], "dword: 1"))]
    path = profile(work / "policies.yaml", "policies", rule)
    run_of("entries on policies, without Registry.pol", 15_000, "plain", path, "plan")
    found.append(Row("entries on policies, Registry.pol of 22,000 entries", 15_000, "plan", "plain",
                     "plan", "DISK", "-p", path, files=((file, POLICY),), first=True))
    names = [f"w{number}" for number in range(50)]
    rule = [(r"HKLM\SYSTEM\Setup\M\*", values(names, "dword: 1"))]
    path = profile(work / "wild.yaml", "wild", rule)
    run_of("50 values in each of 4,000 matches", 200_000, "matches-4000", path, *full)
    rule = [(r"HKLM\SYSTEM\Setup\M\*", ["if-exists: true", *values(["v"], "dword: 2")])
            if number == 0 else (rf"HKLM\SYSTEM\Setup\M\k{number}", ["absent: true", "why: w"])
            for number in range(4_000)]
    path = profile(work / "absent-keys.yaml", "absent-keys", rule)
    run_of("keys that are deleted, and values in them", 4_000, "matches-4000", path, *full[:1])
    kept = ", ".join(f"e{number:05}" for number in range(0, 60_000, 2))
    rule = [(r"HKLM\SYSTEM\Setup\List", ["values:", f"  - {{ name: list, list-keep: [ {kept} ], why: w }}"])]
    path = profile(work / "list.yaml", "list", rule)
    run_of("list-keep of 30,000 over a list of 60,000", "0.8 MB", "list", path, *full)
    run_of("a plan in a file", 20_000, "values-20000", work / "existing-20000.yaml",
           "plan, JSON", "plan -o", "apply --plan")
    for step, words in (("show", []), ("show, JSON", ["--format", "json"])):
        found.append(Row("a key with 200,000 values", 200_000, step, "values-200000", "show", "DISK",
                         r"SYSTEM\Setup\Many", *words, first=True))
    for step, words in (("check", []), ("check, JSON", ["--format", "json"])):
        hive = f"DISK/{CONFIG}/SYSTEM"
        found.append(Row("something wrong in 200,000 values", 200_000, step, "damaged", "check", hive,
                         *words, first=True))
    return found


def measure(program, words, limit, work):
    """Wall and user seconds, peak MiB, exit code (137 for what was ended)."""
    figures = work / "figures"
    command = ["/usr/bin/time", "-q", "-f", "%e %U %M", "-o", figures, "timeout", "-s", "KILL",
               str(limit), program, *words]
    bounded = lambda: resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    run = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False,
                         stdin=subprocess.DEVNULL, preexec_fn=bounded)
    wall, user, peak = figures.read_text().split()[-3:]
    if run.returncode not in (0, 1):
        lines = run.stderr.decode(errors="replace").splitlines()
        line = next((line for line in lines if "error" in line), lines[-1] if lines else "")
        print(f"   ended with {run.returncode}: {line[:300]}", file=sys.stderr)
    return float(wall), float(user), int(peak) / 1024, run.returncode


def fresh(work, inputs, row):
    disk = work / "disk"
    shutil.rmtree(disk, ignore_errors=True)
    shutil.copytree(inputs / row.disk, disk)
    for source, place in row.files:
        (disk / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, disk / place)
    return disk


def cell(found, limit):
    if found is None:
        return "", "", ""
    wall, user, peak, code = found
    if code == 137:
        return f"over {limit}", f"{user:.2f}", f"{peak:.0f}"
    behind = "" if code in (0, 1) else f" (ends with {code})"
    return f"{wall:.2f}{behind}", f"{user:.2f}", f"{peak:.0f}"


def table(all_rows, programs, limit):
    heads = [f"{name}, {what}" for name in programs for what in ("s", "user s", "MiB")]
    lines = [f"| input | size | step | {' | '.join(heads)} |", "|---" * (3 + len(heads)) + "|"]
    for row in all_rows:
        cells = [part for name in programs for part in cell(row.found.get(name), limit)]
        size = f"{row.size:,}" if isinstance(row.size, int) else row.size
        lines.append(f"| {row.group} | {size} | {row.step} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--only", help="rows whose name has these words in it")
    parser.add_argument("--limit", type=int, default=120, help="seconds for one command")
    parser.add_argument("--out", type=Path, default=ROOT / "target/cost")
    parser.add_argument("--built", action="store_true", help="take what is built, and the disks as they are")
    wanted = parser.parse_args()
    if not wanted.built:
        subprocess.run(["cargo", "build", "--release", "--locked", "--bin", "hivemend", "--example",
                        "cost-inputs"], cwd=ROOT, check=True)
    inputs, work = wanted.out / "inputs", wanted.out / "work"
    work.mkdir(parents=True, exist_ok=True)
    if not wanted.built or not inputs.exists():
        shutil.rmtree(inputs, ignore_errors=True)
        subprocess.run([ROOT / "target/release/examples/cost-inputs", inputs], check=True,
                       stdout=subprocess.DEVNULL)
    programs = dict(text.split("=", 1) for text in wanted.program)
    programs = programs or {"hivemend": str(ROOT / "target/release/hivemend")}
    all_rows = [row for row in rows(work) if (wanted.only or "") in row.group]
    for name, program in programs.items():
        disk, skip = None, False
        for row in all_rows:
            if row.first:
                disk, skip = fresh(work, inputs, row), False
            if skip:
                continue
            words = [word.replace("DISK", str(disk)) for word in row.words]
            row.found[name] = measure(program, words, wanted.limit, work)
            wall, user, peak, code = row.found[name]
            skip = code not in (0, 1)
            print(f"{name}: {row.group}, {row.size}, {row.step}: {wall:.2f} s, {user:.2f} s, "
                  f"{peak:.0f} MiB, {code}", file=sys.stderr, flush=True)
    text = table(all_rows, programs, wanted.limit)
    (wanted.out / "table.md").write_text(text, encoding="utf-8")
    print(text)


main()
