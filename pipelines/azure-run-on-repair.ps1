# SPDX-License-Identifier: GPL-3.0-or-later
#
# Looks at the registry of the attached OS disk with hivemend, on a Windows repair VM, and repairs it
# where that is asked for below.
#
#   az vm repair run -g GROUP -n VM --run-on-repair --custom-script-file azure-run-on-repair.ps1
#
# The driver of vm-repair puts this text behind its own, takes only lines of the forms below, finds out
# by the text of the status line how it ended, and keeps the last 4,096 bytes. So: no parameters (change
# the four lines here), nothing ends the session, ASCII only, and few bytes.

# The profile: a built-in id, or a file on the repair VM.
$Baseline = 'rdp-baseline'
# $false only looks; $true also applies what was planned.
$Apply = $false
# $true also applies plans that lower security.
$AllowLowering = $false
# The program.
$Hivemend = 'C:\hivemend\hivemend.exe'

$MaxBytes = 3072
$Folder = Join-Path $env:ProgramData ('hivemend\run-' + (Get-Date).ToString('yyyyMMddHHmmss'))
$Lines = New-Object System.Collections.Generic.List[string]

function Add-Line([string]$Level, [string]$Text) {
    # The driver writes ASCII.
    $plain = [regex]::Replace($Text, '[^\x20-\x7e]', '?')
    $date = (Get-Date).ToString('MM/dd/yyyy HH:mm:ss', [cultureinfo]::InvariantCulture)
    $Lines.Add("[$Level $date]$plain")
}

# Runs hivemend without PowerShell in between: Windows PowerShell makes an error of each line on the
# error stream, which ends a script that stops at errors.
function Invoke-Hivemend([string[]]$Words) {
    $quoted = foreach ($word in $Words) {
        '"' + ([regex]::Replace($word, '(\\*)("|$)', { param($found)
            $found.Groups[1].Value * 2 + $(if ($found.Groups[2].Value) { '\"' } else { '' }) })) + '"'
    }
    $start = New-Object System.Diagnostics.ProcessStartInfo
    $start.FileName = $Hivemend
    $start.Arguments = $quoted -join ' '
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $start.StandardOutputEncoding = [System.Text.Encoding]::UTF8
    $start.StandardErrorEncoding = [System.Text.Encoding]::UTF8
    $process = [System.Diagnostics.Process]::Start($start)
    # Both at once, or a full pipe stops the program.
    $output = $process.StandardOutput.ReadToEndAsync()
    $errors = $process.StandardError.ReadToEndAsync()
    $process.WaitForExit()
    [pscustomobject]@{ Code = $process.ExitCode; Output = $output.Result; Errors = $errors.Result }
}

# What a command says goes to a file whole.
function Save-Document([string]$Name, $Run, [string]$Kind = 'json') {
    [System.IO.File]::WriteAllText((Join-Path $Folder "$Name.$Kind"), $Run.Output)
    if ($Run.Errors) {
        [System.IO.File]::WriteAllText((Join-Path $Folder "$Name.log"), $Run.Errors)
    }
}

function Add-Summary([string]$Level, $Run) {
    foreach ($line in $Run.Output -split "`r?`n") {
        if ($line.Trim()) { Add-Line $Level $line.TrimEnd() }
    }
}

# Whether all was done.
function Repair-Disk {
    if (-not (Test-Path -LiteralPath $Hivemend)) {
        Add-Line 'Error' "$Hivemend is not there; put hivemend.exe on the repair VM first."
        return $false
    }
    $null = New-Item -ItemType Directory -Force -Path $Folder
    # The copy of the disk may be attached offline or read-only.
    Get-Disk -ErrorAction SilentlyContinue | Where-Object IsOffline |
        Set-Disk -IsOffline $false -ErrorAction SilentlyContinue
    if ($Apply) {
        Get-Disk -ErrorAction SilentlyContinue | Where-Object { $_.IsReadOnly -and -not $_.IsBoot } |
            Set-Disk -IsReadOnly $false -ErrorAction SilentlyContinue
    }
    $listed = Invoke-Hivemend @('disks', '--format', 'json')
    Save-Document 'disks' $listed
    if ($listed.Code -ne 0) {
        Add-Line 'Error' "No disk was found (exit code $($listed.Code)): $($listed.Errors)"
        return $false
    }
    $disks = @((ConvertFrom-Json -InputObject $listed.Output).disks | Where-Object { $_.hives.Count -gt 0 })
    if ($disks.Count -ne 1) {
        Add-Line 'Error' "$($disks.Count) disks with a Windows are attached; this needs exactly one."
        foreach ($disk in $disks) { Add-Line 'Error' "$($disk.path) $($disk.computer_name)" }
        return $false
    }
    $target = $disks[0].path

    $diagnosed = Invoke-Hivemend @('diagnose', $target, '--format', 'json')
    Save-Document 'diagnose' $diagnosed
    $planFile = Join-Path $Folder 'plan-file.json'
    $planned = Invoke-Hivemend @('plan', $target, '-p', $Baseline, '-o', $planFile, '--format', 'json')
    Save-Document 'plan' $planned
    $failed = $planned.Code -ne 0 -or $diagnosed.Code -gt 1
    if ($Apply -and -not $failed) {
        $changes = @((ConvertFrom-Json -InputObject $planned.Output).changes)
        $lowering = @($changes | Where-Object { $_.lowers_security })
        if ($lowering.Count -gt 0 -and -not $AllowLowering) {
            Add-Line 'Error' "Nothing was applied: $($lowering.Count) changes lower security, and AllowLowering is off."
            $failed = $true
        }
        else {
            $applied = Invoke-Hivemend @('apply', $target, '--plan', $planFile, '--yes', '--summary=900')
            Save-Document 'apply' $applied 'txt'
            $failed = $applied.Code -ne 0
            Add-Summary $(if ($failed) { 'Error' } else { 'Output' }) $applied
        }
    }
    if (-not $Apply -or $failed) {
        Add-Summary 'Output' (Invoke-Hivemend @('plan', $target, '-p', $Baseline, '--summary=900'))
    }
    Add-Summary 'Output' (Invoke-Hivemend @('diagnose', $target, '--summary=900'))
    return -not $failed
}

$done = $false
try {
    $done = Repair-Disk
}
catch {
    Add-Line 'Error' "$_"
}
Add-Line 'Output' "Full JSON: $Folder"

# The verdict and the place of the JSON stay; what is too much between them is counted.
$status = if ($done) { '[STATUS]::SUCCESS' } else { '[STATUS]::ERROR' }
$last = $Lines[$Lines.Count - 1]
$room = $MaxBytes - $last.Length - $status.Length - 60
$left = 0
for ($at = 0; $at -lt $Lines.Count - 1; $at++) {
    $room -= $Lines[$at].Length + 2
    if ($room -lt 0) { $left = $Lines.Count - 1 - $at; break }
    Write-Output $Lines[$at]
}
if ($left -gt 0) { Write-Output ($last.Substring(0, $last.IndexOf(']') + 1) + "$left more lines are in the JSON.") }
Write-Output $last
Write-Output $status
