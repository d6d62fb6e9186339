#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Applies one profile to many attached disks; one line of JSON for each.
#
#   many-disks.sh PROFILE [DISK...]
#
# Without a DISK: every disk that `hivemend disks` finds. HIVEMEND names the program. Ends with the
# worst exit code of all disks: 0 all done, 3 refused, 4 failed and untouched, 5 needs restore.
set -uo pipefail

hivemend=${HIVEMEND:-hivemend}
profile=${1:?usage: many-disks.sh PROFILE [DISK...]}
shift

disks=("$@")
if ((${#disks[@]} == 0)); then
    # Paths may hold anything but a zero byte.
    listed=$("$hivemend" disks --format json) || exit
    mapfile -d '' -t disks < <(jq -j '.disks[] | select(.hives | length > 0) | .path + "\u0000"' <<<"$listed")
fi

worst=0
for disk in "${disks[@]}"; do
    # What it says to people stays on standard error.
    answer=$("$hivemend" apply "$disk" -p "$profile" --yes --format json)
    code=$?
    ((code > worst)) && worst=$code
    jq -c --arg disk "$disk" --argjson code "$code" \
        '{disk: $disk, exit_code: $code, status: (.outcome.status // "failed"),
          changes: (.summary.changes // 0), backup: .outcome.backup.path, error: .error}' \
        <<<"${answer:-null}"
done
exit "$worst"
