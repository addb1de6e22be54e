//! `inspect`: what a batch holds, as text or JSON.

use std::io::{self, Write};
use std::path::PathBuf;

use super::{Verdict, batches_in, verify};
use crate::data::inspect::{Inspection, TableReport, inspect};
use crate::data::{BatchDir, PROBLEMS_AT_ONCE};

/// Arguments of `inspect`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A batch directory, or a data directory with batches in it
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Print JSON, one batch per line
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::Passed;
    for path in batches_in(&args.directory)? {
        let opened = BatchDir::open(&path).map_err(|problem| vec![problem]);
        let loaded = match opened.and_then(|directory| directory.examine(PROBLEMS_AT_ONCE)) {
            Ok(loaded) => loaded,
            Err(problems) => {
                // JSON readers expect nothing but JSON on the output.
                verdict = verify::tell(&path, problems, &mut io::stderr())?;
                continue;
            }
        };
        let found = inspect(&loaded);
        if args.json {
            writeln!(out, "{}", serde_json::to_string(&found)?)?;
        } else {
            writeln!(out, "{}", path.display())?;
            print(&found, out)?;
        }
    }
    Ok(verdict)
}

fn print(found: &Inspection, out: &mut dyn Write) -> io::Result<()> {
    let signed = found.publisher.as_deref().unwrap_or("nobody");
    writeln!(out, "  {} on {}, {} days, signed by {signed}", found.processing_date, found.network, found.window_days)?;
    writeln!(out, "  digest {}", found.digest)?;
    found.tables.iter().try_for_each(|table| print_table(table, out))?;
    let joins = &found.joins;
    writeln!(
        out,
        "\n  alerts without features {}, without cluster {}",
        joins.alerts_without_features, joins.alerts_without_cluster
    )?;
    if let Some(labels) = &found.labels {
        let rate = labels.illicit_rate.map_or_else(|| "-".to_owned(), |rate| format!("{:.2} %", rate * 100.0));
        writeln!(out, "  labels {}: of this batch {}, illicit {rate}", labels.rows, labels.alerts_labelled)?;
    }
    for warning in &found.warnings {
        writeln!(out, "  WARNING {warning}")?;
    }
    Ok(())
}

fn print_table(table: &TableReport, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n  {}: {} rows", table.name, table.rows)?;
    if !table.columns.is_empty() {
        writeln!(
            out,
            "    {:<28} {:>9} {:>14} {:>14} {:>14} {:>9}",
            "column", "missing", "min", "mean", "max", "distinct"
        )?;
    }
    for column in &table.columns {
        let number = |value: Option<f64>| value.map_or_else(String::new, short);
        let (mut min, mut mean, mut max) = (number(column.min), number(column.mean), number(column.max));
        if let Some((first, last)) = &column.days {
            (min, mean, max) = (first.clone(), String::new(), last.clone());
        }
        let distinct = column.distinct.map_or_else(String::new, |count| count.to_string());
        let missing = format!("{:.1} %", column.missing * 100.0);
        writeln!(out, "    {:<28} {missing:>9} {min:>14} {mean:>14} {max:>14} {distinct:>9}", column.name)?;
    }
    if table.rows > 0 && !table.absent.is_empty() {
        writeln!(out, "    absent: {}", table.absent.join(", "))?;
    }
    Ok(())
}

/// At most 14 characters of a number.
fn short(value: f64) -> String {
    let plain = value.to_string();
    if plain.len() <= 14 { plain } else { format!("{value:.6e}") }
}
