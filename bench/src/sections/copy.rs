//! A large COPY script into PostgreSQL: time against `psql`, and memory.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::measure::{Entrant, Sample, contest, run};
use crate::options::Options;
use crate::report::{Report, peak_mib};
use crate::sections::forerun_up;
use crate::store::{Place, Store};

const TIME_BOUND: f64 = 1.1;
const MEMORY_BOUND_MIB: f64 = 64.0;

/// Measures forerun and `psql -X -1 -f` on the same file.
///
/// # Errors
/// The script cannot be written.
pub fn measure(options: &Options, store: &Store, report: &mut Report) -> Result<(), String> {
    let rounds = options.rounds;
    let label = store.label();
    let directory = tempfile::tempdir_in("/tmp").map_err(|error| error.to_string())?;
    let script = directory.path().join("1_bulk.sql");
    let rows = write_script(&script, options.copy_bytes).map_err(|error| error.to_string())?;
    let bytes = std::fs::metadata(&script)
        .map_err(|error| error.to_string())?
        .len();
    report.say(&format!(
        "\n## {label}: a COPY script of {} MB, {rows} rows ({rounds} rounds)\n",
        bytes / 1_000_000
    ));
    let fresh = |work: &dyn Fn(&Place<'_>) -> Result<Sample, String>| {
        let place = store.fresh();
        let sample = work(&place)?;
        let count = place.query("SELECT count(*) FROM bulk")?;
        if count == rows.to_string() {
            Ok(sample)
        } else {
            Err(format!("{count} rows instead of {rows}"))
        }
    };
    let series = contest(
        "copy",
        rounds,
        vec![
            Entrant::new("forerun", || {
                fresh(&|place| run(&mut forerun_up(options, place, directory.path())))
            }),
            Entrant::new("psql -X -1 -f", || {
                fresh(&|place| run(&mut place.client(&script, true)))
            }),
        ],
    );
    report.table(&series);
    report.ratio(
        "COPY script: forerun ÷ psql",
        &series[0],
        &series[1],
        TIME_BOUND,
    );
    let peak = series[0]
        .samples
        .iter()
        .map(|sample| sample.peak_kib)
        .max()
        .map(peak_mib);
    report.bound(
        "COPY script: peak memory of forerun",
        peak,
        MEMORY_BOUND_MIB,
        " MiB",
    );
    Ok(())
}

/// Writes rows until the file has `bytes` bytes; returns how many.
fn write_script(path: &Path, bytes: u64) -> std::io::Result<u64> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    writeln!(
        out,
        "CREATE TABLE bulk (\n    id bigint NOT NULL,\n    token text NOT NULL,\n    amount numeric(12, 2),\n    \
         note text,\n    created_at timestamp NOT NULL\n);\n\nCOPY bulk (id, token, amount, note, created_at) FROM stdin;"
    )?;
    let (mut written, mut rows, mut state) = (0_u64, 0_u64, 0x9E37_79B9_7F4A_7C15_u64);
    let mut line = Vec::with_capacity(256);
    while written < bytes {
        rows += 1;
        // xorshift64: the same rows in every run.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        line.clear();
        let note = if state.is_multiple_of(7) {
            "\\N"
        } else {
            "second line\\nand a backslash \\\\ in the text"
        };
        writeln!(
            line,
            "{rows}\t{state:016x}\t{}.{:02}\t{note}\t2026-{:02}-{:02} {:02}:{:02}:{:02}",
            state % 1_000_000,
            state % 100,
            state % 12 + 1,
            state % 28 + 1,
            state % 24,
            state % 60,
            rows % 60
        )?;
        out.write_all(&line)?;
        written += line.len() as u64;
    }
    writeln!(out, "\\.")?;
    out.into_inner()?.sync_all()?;
    Ok(rows)
}
