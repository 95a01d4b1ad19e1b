//! Nothing to do: everything is applied already.

use crate::measure::{Entrant, contest, run};
use crate::options::Options;
use crate::peers::{Peer, write_native};
use crate::report::Report;
use crate::sections::forerun_up;
use crate::store::{Store, clean};

const BOUND: f64 = 1.3;
const PEER_ROUNDS: usize = 5;

/// Measures forerun and the least that such a run can be, at two sizes; the peers at the first.
///
/// # Errors
/// The directories cannot be written, or the migrations that should be there cannot be applied.
pub fn measure(
    options: &Options,
    store: &Store,
    peers: &[Peer],
    report: &mut Report,
) -> Result<(), String> {
    let sizes: &[usize] = if options.quick {
        &[200]
    } else {
        &[1000, 10_000]
    };
    for (index, count) in sizes.iter().enumerate() {
        one_size(
            options,
            store,
            if index == 0 { peers } else { &[] },
            *count,
            report,
        )?;
    }
    Ok(())
}

fn one_size(
    options: &Options,
    store: &Store,
    peers: &[Peer],
    count: usize,
    report: &mut Report,
) -> Result<(), String> {
    let rounds = 25;
    let label = store.label();
    report.say(&format!(
        "\n## {label}: nothing to do, {count} files ({rounds} rounds; peers {PEER_ROUNDS})\n"
    ));
    let baseline = std::env::current_exe()
        .map_err(|error| error.to_string())?
        .with_file_name("noop-baseline");

    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let native = directory.path().join("native");
    write_native(&native, count)?;
    let place = store.fresh();
    if let Err(error) = run(&mut forerun_up(options, &place, &native)) {
        report.unmeasured += 1;
        report.say(&format!(
            "- **NOT MEASURED**: the migrations could not be applied: {error}"
        ));
        return Ok(());
    }
    let url = place.url();
    let mut entrants = vec![
        Entrant::new("forerun", || run(&mut forerun_up(options, &place, &native))),
        Entrant::new("connect, read the history, read and hash each file", || {
            run(clean(&baseline).arg(&url).arg(&native))
        }),
    ];
    for (index, peer) in peers.iter().enumerate() {
        let migrations = directory.path().join(format!("peer{index}"));
        peer.write_migrations(&migrations, count)?;
        let place = store.fresh();
        if let Err(error) = run(&mut peer.up(&place, &migrations)) {
            report.say(&format!(
                "- {} could not be prepared: {}",
                peer.label,
                error.replace('\n', " / ")
            ));
            continue;
        }
        entrants.push(Entrant {
            name: peer.label.clone(),
            attempt: Box::new(move || run(&mut peer.up(&place, &migrations))),
            rounds: PEER_ROUNDS,
        });
    }
    let series = contest(&label, rounds, entrants);
    report.table(&series);
    let what = format!("{label}, nothing to do with {count} files: forerun ÷ baseline");
    report.ratio(&what, &series[0], &series[1], BOUND);
    Ok(())
}
