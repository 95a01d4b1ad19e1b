//! Many one-table migrations from empty.

use std::path::Path;

use crate::measure::{Entrant, Sample, contest, run};
use crate::options::Options;
use crate::peers::{Peer, write_native};
use crate::recorded::{self, Part, Recording};
use crate::report::{FASTER, Report};
use crate::sections::forerun_up;
use crate::store::{Place, Store};

const BOUND: f64 = 1.15;

/// Measures forerun, the client session that sends the same transactions, and the peers.
///
/// # Errors
/// The directories cannot be written.
pub fn measure(
    options: &Options,
    store: &Store,
    peers: &[Peer],
    report: &mut Report,
) -> Result<(), String> {
    let count = if options.quick { 200 } else { 1000 };
    let rounds = options.rounds;
    let label = store.label();
    let client = store.client_name();
    report.say(&format!(
        "\n## {label}: {count} migrations from empty, one table each ({rounds} rounds)\n"
    ));

    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let native = directory.path().join("native");
    write_native(&native, count)?;

    let recording = match record(options, store, &native, count) {
        Ok(recording) => recording,
        Err(error) => {
            report.unmeasured += 1;
            report.say(&format!(
                "- **NOT MEASURED**: the probe run failed: {error}"
            ));
            return Ok(());
        }
    };
    let script = directory.path().join("session.sql");
    let script = script.as_path();
    let session = |part| {
        let recording = &recording;
        move || {
            fresh_run(store, count, |place| {
                std::fs::write(script, recording.script(part, place.name()))
                    .map_err(|error| error.to_string())?;
                run(&mut place.client(script, false))
            })
        }
    };
    let mut entrants = vec![
        Entrant::new("forerun", || {
            fresh_run(store, count, |place| {
                run(&mut forerun_up(options, place, &native))
            })
        }),
        Entrant::new(
            &format!("{client}, the same transactions"),
            session(Part::Transactions),
        ),
    ];
    let whole_session = recording.messages(Part::All) != recording.messages(Part::Transactions);
    if whole_session {
        entrants.push(Entrant::new(
            &format!("{client}, every statement forerun sends"),
            session(Part::All),
        ));
    }
    for (index, peer) in peers.iter().enumerate() {
        let migrations = directory.path().join(format!("peer{index}"));
        peer.write_migrations(&migrations, count)?;
        entrants.push(Entrant::new(&peer.label, move || {
            fresh_run(store, count, |place| run(&mut peer.up(place, &migrations)))
        }));
    }
    let series = contest(&label, rounds, entrants);
    report.table(&series);
    report.say(&format!(
        "- messages to the server: {} in transactions, {} in all",
        recording.messages(Part::Transactions),
        recording.messages(Part::All)
    ));
    let ours = &series[0];
    report.ratio(
        &format!("{label}, {count} migrations: forerun ÷ {client} with the same transactions"),
        ours,
        &series[1],
        BOUND,
    );
    let first_peer = if whole_session { 3 } else { 2 };
    for peer in &series[first_peer..] {
        let what = format!("{label}, {count} migrations: forerun ÷ {}", peer.name);
        report.ratio(&what, ours, peer, FASTER);
    }
    Ok(())
}

/// One probe run whose statements the server logs.
fn record(
    options: &Options,
    store: &Store,
    native: &Path,
    count: usize,
) -> Result<Recording, String> {
    let place = store.fresh();
    recorded::start(&place)?;
    let ran = run(&mut forerun_up(options, &place, native)).and_then(|_| check(&place, count));
    let recording = recorded::finish(&place)?;
    ran?;
    if let Some(kept) = &options.keep_session {
        std::fs::create_dir_all(kept).map_err(|error| error.to_string())?;
        let path = kept.join(format!("{}.sql", store.client_name()));
        std::fs::write(path, recording.script(Part::All, place.name()))
            .map_err(|error| error.to_string())?;
    }
    place.keep();
    Ok(recording)
}

fn fresh_run(
    store: &Store,
    count: usize,
    work: impl FnOnce(&Place<'_>) -> Result<Sample, String>,
) -> Result<Sample, String> {
    let place = store.fresh();
    let sample = work(&place)?;
    check(&place, count)?;
    place.keep();
    Ok(sample)
}

fn check(place: &Place<'_>, count: usize) -> Result<(), String> {
    let tables = place.tables()?;
    if tables == count {
        Ok(())
    } else {
        Err(format!("{tables} tables instead of {count}"))
    }
}
