# SPDX-License-Identifier: GPL-3.0-or-later
#
# Repairs the registry of the attached Windows disk with hivemend, on a rescue VM of gce-rescue:
#
#   gce-rescue repair VM --zone ZONE --project PROJECT --fix-script gce-rescue-fix.ps1
#
# The tool puts this text into the startup script behind its own, which has Write-Log. It reads
# GCE-REPAIR-LINE and exactly one GCE-REPAIR-RESULT from the serial console. Nothing here may end the
# session.

# The profile, which must not lower security, and the program on the rescue VM.
$HivemendBaseline = 'rdp-baseline'
$Hivemend = 'C:\hivemend\hivemend.exe'

$HivemendReason = ''
$HivemendFixes = 0

function Invoke-Hivemend([string]$Words) {
    $start = New-Object System.Diagnostics.ProcessStartInfo
    $start.FileName = $Hivemend
    $start.Arguments = $Words
    $start.UseShellExecute = $false
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $start.StandardOutputEncoding = [System.Text.Encoding]::UTF8
    $process = [System.Diagnostics.Process]::Start($start)
    $output = $process.StandardOutput.ReadToEndAsync()
    $errors = $process.StandardError.ReadToEndAsync()
    $process.WaitForExit()
    [pscustomobject]@{ Code = $process.ExitCode; Output = $output.Result; Errors = $errors.Result }
}

try {
    $targets = @(Get-Volume | Where-Object {
            $_.DriveLetter -and "$($_.DriveLetter):" -ne $env:SystemDrive -and
            (Test-Path -LiteralPath "$($_.DriveLetter):\Windows\System32\config\SYSTEM")
        })
    if (-not (Test-Path -LiteralPath $Hivemend)) {
        $HivemendReason = "$Hivemend is not there"
    }
    elseif ($targets.Count -ne 1) {
        $HivemendReason = "$($targets.Count) volumes with a Windows are attached, and this needs exactly one"
    }
    else {
        $target = "$($targets[0].DriveLetter):/"
        $planned = Invoke-Hivemend "plan $target -p $HivemendBaseline --format json"
        $changes = @()
        if ($planned.Code -eq 0) {
            $changes = @((ConvertFrom-Json -InputObject $planned.Output).changes)
        }
        if ($planned.Code -ne 0) {
            $HivemendReason = "hivemend plan ended with $($planned.Code)"
        }
        elseif (@($changes | Where-Object { $_.lowers_security }).Count -gt 0) {
            $HivemendReason = "$HivemendBaseline lowers security, which is left to a person"
        }
        elseif ($changes.Count -gt 0) {
            $applied = Invoke-Hivemend "apply $target -p $HivemendBaseline --yes --summary=2048"
            foreach ($line in $applied.Output -split "`r?`n") {
                if ($line.Trim()) { Write-Log "GCE-REPAIR-LINE:[FIXED] registry: $($line.Trim())" }
            }
            if ($applied.Code -eq 0) { $HivemendFixes = $changes.Count }
            else { $HivemendReason = "hivemend apply ended with $($applied.Code)" }
        }
    }
}
catch {
    $HivemendReason = "$_" -replace '\s+', ' '
}

if ($HivemendReason) { Write-Log "GCE-REPAIR-RESULT:FAILED:$HivemendReason" }
elseif ($HivemendFixes -gt 0) { Write-Log "GCE-REPAIR-RESULT:SUCCESS:$HivemendFixes" }
else { Write-Log 'GCE-REPAIR-RESULT:NO_ISSUES:0' }
