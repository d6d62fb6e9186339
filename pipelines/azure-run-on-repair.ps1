# SPDX-License-Identifier: GPL-3.0-or-later
<#
.SYNOPSIS
    Repairs the registry of the attached OS disk with hivemend, on a Windows repair VM.
.DESCRIPTION
    For: az vm repair run --run-on-repair --custom-script-file azure-run-on-repair.ps1
    Finds the one attached disk that holds a Windows, plans, applies exactly that plan, and writes
    one JSON document to the output. Ends with hivemend's exit code: 0 done, 3 refused, 4 failed and
    untouched, 5 needs restore; 2 also where not exactly one disk was found.
.PARAMETER Baseline
    The profile: a built-in id or a YAML file.
.PARAMETER Hivemend
    The program.
.PARAMETER ComputerName
    The broken machine's name, where several disks are attached.
.PARAMETER PlanOnly
    Show what would change, and write nothing.
#>
param(
    [string]$Baseline = 'rdp-disconnects',
    [string]$Hivemend = 'C:\hivemend\hivemend.exe',
    [string]$ComputerName = '',
    [switch]$PlanOnly
)

$ErrorActionPreference = 'Stop'
# hivemend writes UTF-8; Windows PowerShell reads what programs write in the console's code page.
[Console]::OutputEncoding = [System.Text.Encoding]::UTF8

function Complete-Run {
    param([int]$Code, [string]$Status, $Detail)
    $result = [ordered]@{
        schema    = 'hivemend.run-on-repair/1'
        status    = $Status
        exit_code = $Code
        detail    = $Detail
    }
    ConvertTo-Json -InputObject $result -Depth 32 -Compress
    exit $Code
}

function Invoke-Hivemend {
    param([string[]]$Arguments)
    # What it says to people goes to the log; the answer for scripts is on standard output.
    $text = & $Hivemend @Arguments 2>$null | Out-String
    $document = $null
    if ($text.Trim()) {
        $document = ConvertFrom-Json -InputObject $text
    }
    [pscustomobject]@{ Code = $LASTEXITCODE; Document = $document }
}

if (-not (Test-Path -LiteralPath $Hivemend)) {
    Complete-Run -Code 2 -Status 'no-program' -Detail "$Hivemend is not there"
}

# A repair VM may attach the copy of the disk offline or read-only.
try {
    Get-Disk | Where-Object IsOffline | Set-Disk -IsOffline $false
    Get-Disk | Where-Object { $_.IsReadOnly -and -not $_.IsBoot } | Set-Disk -IsReadOnly $false
}
catch {
    [Console]::Error.WriteLine("disks were left as they are: $_")
}

$listed = Invoke-Hivemend -Arguments @('disks', '--format', 'json')
if ($listed.Code -ne 0) {
    Complete-Run -Code $listed.Code -Status 'no-disks' -Detail $listed.Document
}
$disks = @($listed.Document.disks | Where-Object { $_.hives.Count -gt 0 })
if ($ComputerName) {
    $disks = @($disks | Where-Object { $_.computer_name -eq $ComputerName })
}
if ($disks.Count -ne 1) {
    Complete-Run -Code 2 -Status 'not-one-disk' -Detail $listed.Document
}
$target = $disks[0].path

$planFile = Join-Path ([System.IO.Path]::GetTempPath()) "hivemend-plan-$PID.json"
try {
    $plan = Invoke-Hivemend -Arguments @('plan', $target, '-p', $Baseline, '-o', $planFile, '--format', 'json')
    if ($plan.Code -ne 0) {
        Complete-Run -Code $plan.Code -Status 'not-planned' -Detail $plan.Document
    }
    if ($PlanOnly) {
        Complete-Run -Code 0 -Status 'planned' -Detail $plan.Document
    }
    $applied = Invoke-Hivemend -Arguments @('apply', $target, '--plan', $planFile, '--yes', '--format', 'json')
    $status = if ($applied.Code -eq 0) { $applied.Document.outcome.status } else { 'not-applied' }
    Complete-Run -Code $applied.Code -Status $status -Detail $applied.Document
}
finally {
    Remove-Item -LiteralPath $planFile -ErrorAction SilentlyContinue
}
