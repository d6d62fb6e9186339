#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""hivemend against its peers, in one run: python3 benches/peers/run.py [--rounds N] [--out FOLDER]

Installs what is missing (as root, on Debian 12), builds hivemend and the small programs beside
this file in release, makes the inputs, runs all commands in turn, round by round, with hyperfine,
and writes table.md and table.json. Peak memory is that of one run under /usr/bin/time.

chkreg.exe is judged too where HIVEMEND_CHKREG names it and wine is installed.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PROGRAMS = ROOT / "target/peers-programs"
TOOLS = {
    "hyperfine": "hyperfine",
    "hivexsh": "libhivex-bin",
    "hivexml": "libhivex-bin",
    "hivexregedit": "libwin-hivex-perl",
    "reged": "chntpw",
    "reglookup": "reglookup",
    "regfexport": "libregf-utils",
    "/usr/bin/time": "time",
}
KEY = r"ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp"


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, **options)


def install():
    missing = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
    if missing:
        apt = ["apt-get", "-q"]
        run(*apt, "update")
        run(*apt, "install", "-y", "--no-install-recommends", *missing,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def build():
    run("cargo", "build", "--release", "--locked", "--bin", "hivemend", "--example", "bench-inputs",
        cwd=ROOT)
    run("cargo", "build", "--release", "--locked", "--target-dir", PROGRAMS, cwd=HERE)


def profile(path, name, keys):
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"schema: hivemend.profile/1\nid: {name}\ntitle: {keys} keys\n"
                   "source: a measurement\nsymptoms: [ none ]\nkeys:\n")
        for number in range(keys):
            file.write(f"  - key: HKLM\\SYSTEM\\Setup\\Made {number:04}\n    values:\n"
                       f"      - name: Start\n        dword: {number}\n        why: to measure\n")


class Row:
    """One command of one group; ratios are to the first of the group."""

    def __init__(self, group, name, *command, prepare=None, ok=(0,)):
        self.group, self.name, self.prepare, self.ok = group, name, prepare, ok
        self.command = [str(word) for word in command]
        self.times, self.cpu, self.memory = [], [], None


def rows(inputs, work, hivemend, peers):
    hive = {size: inputs / size / "Windows/System32/config/SYSTEM" for size in ("12mb", "84mb")}
    script = work / "read.hivexsh"
    script.write_text(f"cd {KEY}\nlsval\n", encoding="utf-8")
    found = []
    for size in ("12mb", "84mb"):
        group = f"read 15 values, {size}"
        add = lambda name, *command, **rest: found.append(Row(group, name, *command, **rest))
        add("hivemend plan", hivemend, "plan", inputs / size, "-p", "rdp-disconnects")
        if size == "84mb":
            add("hivemend plan, dirty, 3 MB of logs", hivemend, "plan", inputs / "84mb-dirty",
                "-p", "rdp-disconnects")
        add("reglookup", "reglookup", "-p", "/" + KEY.replace("\\", "/"), hive[size])
        add("hivexsh", "hivexsh", "-f", script, hive[size])
        add("regfexport", "regfexport", "-K", "\\" + KEY, hive[size])
        add("nt-hive", peers / "nt-hive", "read", hive[size], KEY)
        add("notatin", peers / "notatin", "read", hive[size], KEY)
        add("regf crate", peers / "regf-crate", "read", hive[size], KEY)
        add("reged -x", "reged", "-x", hive[size], r"HKLM\SYSTEM", KEY, work / "out.reg")
    for size in ("12mb", "84mb"):
        group = f"read everything, {size}"
        add = lambda name, *command, **rest: found.append(Row(group, name, *command, **rest))
        add("hivemend check", hivemend, "check", "-q", hive[size])
        add("nt-hive, walk", peers / "nt-hive", "walk", hive[size])
        add("notatin, walk", peers / "notatin", "walk", hive[size])
        add("regf crate, walk", peers / "regf-crate", "walk", hive[size])
        add("hivexml", "sh", "-c", f"hivexml '{hive[size]}' > /dev/null")
        chkreg = os.environ.get("HIVEMEND_CHKREG")
        if chkreg and shutil.which("wine"):
            # It takes a path that begins with / for an option.
            there = "Z:" + str(hive[size].resolve()).replace("/", "\\")
            add("chkreg, in wine", "wine", chkreg, "/F", there, "/V")
    found += writing_rows(inputs, work, hivemend)
    add = lambda name, *command, **rest: found.append(Row("start-up", name, *command, **rest))
    add("hivemend --version", hivemend, "--version")
    add("reglookup, no arguments", "reglookup", ok=(0, 1, 64))
    many = (1, 4, 16, 64)
    for count in many:
        found.append(Row("check of many, 12mb each, one invocation", f"{count} hives",
                         hivemend, "check", "-q", *[hive["12mb"]] * count))
    for count in many:
        loop = f"for i in $(seq {count}); do '{hivemend}' plan '{inputs}/12mb' -p rdp-disconnects; done"
        found.append(Row("plan of many, 12mb each, a shell's loop", f"{count} disks",
                         "sh", "-c", f"{{ {loop}; }} > /dev/null"))
    return found


def writing_rows(inputs, work, hivemend):
    found = []
    one, many, text = work / "one.yaml", work / "many.yaml", work / "change.reg"
    profile(one, "one-key", 1)
    profile(many, "many-keys", 3000)
    text.write_text("Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SYSTEM\\" + KEY +
                    "]\n\"MaxIdleTime\"=dword:00000000\n\n", encoding="ascii")
    for size in ("12mb", "84mb"):
        disk = work / f"disk-{size}"
        hive = disk / "Windows/System32/config/SYSTEM"
        fresh = f"sh -c \"rm -rf '{disk}'; cp -r '{inputs / size}' '{disk}'; sync\""
        group = f"write, {size}"
        add = lambda name, *command, **rest: found.append(
            Row(group, name, *command, prepare=fresh, **rest))
        add("hivemend apply", hivemend, "apply", "-q", "-y", disk, "-p", "rdp-disconnects")
        add("hivemend apply, 1 key", hivemend, "apply", "-q", "-y", disk, "-p", one)
        add("hivemend apply, 3,000 keys", hivemend, "apply", "-q", "-y", disk, "-p", many)
        add("dd conv=fsync", "dd", f"if={hive}", f"of={disk}/copy", "bs=1M", "conv=fsync",
            "status=none")
        add("reged -I -C (no sync)", "reged", "-I", "-C", hive, r"HKEY_LOCAL_MACHINE\SYSTEM", text,
            ok=(0, 2))
        add("hivexregedit --merge (no sync)", "hivexregedit", "--merge", hive, "--prefix",
            r"HKEY_LOCAL_MACHINE\SYSTEM", text)
    return found


def measure(all_rows, rounds, work):
    for number in range(rounds):
        for row in all_rows:
            result = work / "hyperfine.json"
            command = ["hyperfine", "-N", "--style", "none", "--warmup", "1" if number == 0 else "0",
                       "--runs", "2", "--export-json", result]
            command += ["--prepare", row.prepare] if row.prepare else []
            command += ["--ignore-failure", quoted(row.command)]
            run(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            found = json.loads(result.read_text())["results"][0]
            bad = [code for code in found["exit_codes"] if code not in row.ok]
            if bad:
                sys.exit(f"{row.group}, {row.name}: ended with {bad[0]}: {quoted(row.command)}")
            row.times += found["times"]
            row.cpu.append(found["user"] + found["system"])
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    for row in all_rows:
        if row.prepare:
            run("sh", "-c", row.prepare)
        peak = work / "peak"
        subprocess.run(["/usr/bin/time", "-f", "%M", "-o", peak, *row.command],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        row.memory = int(peak.read_text().split()[-1]) / 1024


def quoted(command):
    return " ".join("'" + word.replace("'", r"'\''") + "'" for word in command)


def machine(load):
    name = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                 if line.startswith("model name")), platform.processor())
    version = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True)
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"],
                            capture_output=True, text=True, check=False).stdout.strip()
    return {"processor": name, "cores": os.cpu_count(), "kernel": platform.release(),
            "load": [f"{part:.1f}" for part in (*load, *os.getloadavg())],
            "rustc": version.stdout.strip(), "commit": commit}


def table(all_rows, about):
    """CPU time is what is left of a figure where other work shares the machine."""
    lines = [f"{about['cores']} cores of {about['processor']}, Linux {about['kernel']}, "
             f"{about['rustc']}, hivemend {about['commit']}; load (1, 5, 15 minutes) before the run "
             f"{', '.join(about['load'][:3])} and after it {', '.join(about['load'][3:])}.", ""]
    group = None
    for row in all_rows:
        if row.group != group:
            group = row.group
            first = row
            lines += ["", f"**{group}**", "",
                      "| | median ms | ratio | best ms | ratio | CPU ms | ratio | peak MiB |",
                      "|---|---|---|---|---|---|---|---|"]
        cells = [row.name]
        for figure in (lambda of: statistics.median(of.times), lambda of: min(of.times),
                       lambda of: statistics.median(of.cpu)):
            cells += [f"{figure(row) * 1e3:.1f}", f"{figure(row) / max(figure(first), 1e-9):.2f}"]
        lines.append(f"| {' | '.join(cells)} | {row.memory:.1f} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=8, help="of two runs each")
    parser.add_argument("--out", type=Path, default=ROOT / "target/peers")
    parser.add_argument("--built", action="store_true", help="take the programs as they are built")
    wanted = parser.parse_args()
    install()
    if not wanted.built:
        build()
    wanted.out.mkdir(parents=True, exist_ok=True)
    inputs = wanted.out / "inputs"
    shutil.rmtree(inputs, ignore_errors=True)
    run(ROOT / "target/release/examples/bench-inputs", inputs, stdout=subprocess.DEVNULL)
    load = os.getloadavg()
    with tempfile.TemporaryDirectory(dir=wanted.out) as folder:
        work = Path(folder)
        all_rows = rows(inputs, work, ROOT / "target/release/hivemend", PROGRAMS / "release")
        measure(all_rows, wanted.rounds, work)
    about = machine(load)
    size = (ROOT / "target/release/hivemend").stat().st_size
    text = table(all_rows, about) + f"\nThe program, stripped: {size / 1e6:.2f} MB.\n"
    document = {"machine": about, "program_bytes": size, "rows": [
        {"group": row.group, "name": row.name, "times_s": row.times, "cpu_s": row.cpu,
         "median_s": statistics.median(row.times), "peak_mib": round(row.memory, 1)}
        for row in all_rows]}
    (wanted.out / "table.md").write_text(text, encoding="utf-8")
    (wanted.out / "table.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(text)


main()
