// SPDX-License-Identifier: GPL-3.0-or-later
//! notatin: `notatin walk HIVE`, `notatin read HIVE KEY`.

use std::error::Error;
use std::path::PathBuf;

use notatin::parser::ParserIterator;
use notatin::parser_builder::ParserBuilder;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let mut parser = ParserBuilder::from_path(PathBuf::from(&arguments[2])).build()?;
    let mut seen = (0_u64, 0_u64, 0_usize);
    match arguments[1].as_str() {
        "walk" => {
            for key in ParserIterator::new(&parser).iter() {
                seen.0 += 1;
                for value in key.value_iter() {
                    seen.1 += 1;
                    seen.2 += value.get_pretty_name().len();
                }
            }
        }
        _ => {
            let key = parser.get_key(&arguments[3], false)?.ok_or("no such key")?;
            for value in key.value_iter() {
                seen.1 += 1;
                seen.2 += value.get_pretty_name().len();
            }
        }
    }
    println!("{seen:?}");
    Ok(())
}
