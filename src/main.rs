// SPDX-License-Identifier: GPL-3.0-or-later
//! hivemend: offline Windows registry hive repair. Everything lives in the library.

fn main() -> std::process::ExitCode {
    hivemend::cli::main()
}
