//! Events for people: one line per migration, and on a terminal a bar for what is running.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use forerun_migrations::event::Event;
use forerun_migrations::plan::Mode;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::style::{BAD, DIM, GOOD, WARNING, count, one_line, paint, took, whole_seconds};

/// Blockers that are named; the rest is counted.
const BLOCKERS: usize = 5;

/// Turns events into lines and keeps the bar.
pub(super) struct TextEvents {
    bars: bool,
    verbose: bool,
    quiet: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bar: Option<ProgressBar>,
    /// Units of all migrations of the run: bytes, and one for each migration.
    length: u64,
    /// Units of the migrations that are finished.
    finished: u64,
    /// Units of the one that runs.
    current: u64,
    /// Migrations that are finished.
    number: usize,
    total: usize,
    script: String,
    /// The run is one of `migrate down`.
    reverting: bool,
}

impl TextEvents {
    pub fn new(bars: bool, verbose: bool, quiet: bool) -> Self {
        Self {
            bars,
            verbose,
            quiet,
            state: Mutex::new(State::default()),
        }
    }

    /// Shows one event.
    pub fn show(&self, event: &Event, write: &dyn Fn(&str)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.note(event);
        if let Some(line) = line(event, self.verbose, self.quiet, &state) {
            match &state.bar {
                Some(bar) => bar.suspend(|| write(&format!("{line}\n"))),
                None => write(&format!("{line}\n")),
            }
        }
        if self.bars {
            state.draw(event);
        }
    }

    /// Runs something that writes, with the bar out of the way.
    pub fn aside(&self, write: impl FnOnce()) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &state.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = state.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl State {
    fn note(&mut self, event: &Event) {
        match event {
            Event::RunStarted { command, .. } => self.reverting = command == "migrate down",
            Event::Planned { pending, bytes, .. } => self.length = bytes + *pending as u64,
            Event::MigrationStarted {
                total,
                bytes,
                script,
                ..
            } => {
                // The end of the one before is told once it is recorded, which can be later.
                self.finished += self.current;
                (self.total, self.current) = (*total, bytes + 1);
                self.script.clone_from(script);
            }
            Event::MigrationFinished { .. } => {
                self.number += 1;
                self.finished += self.current;
                self.current = 0;
            }
            _ => {}
        }
    }

    fn draw(&mut self, event: &Event) {
        let message = match event {
            Event::DatabaseWaiting { .. } => "waiting for the database".to_owned(),
            Event::LockWaiting { .. } => "waiting for the runner lock".to_owned(),
            Event::MigrationStarted { .. } => self.script.clone(),
            Event::StatementStarted {
                statement, verb, ..
            } => {
                format!("{}: statement {statement}, {}", self.script, one_line(verb))
            }
            Event::Progress { bytes_done, .. } => {
                let position = self.finished + *bytes_done;
                if let Some(bar) = &self.bar {
                    bar.set_position(position);
                }
                return;
            }
            Event::Blocked { .. } => format!("{}: waiting for a lock", self.script),
            Event::Retrying { .. } => format!("{}: about to try again", self.script),
            Event::MigrationFinished { .. } => {
                if let Some(bar) = &self.bar {
                    bar.set_position(self.finished);
                }
                return;
            }
            Event::LockAcquired { .. } => String::new(),
            Event::Stopping { .. } => "stopping".to_owned(),
            _ => return,
        };
        let length = self.length;
        let bar = self.bar.get_or_insert_with(new_bar);
        if bar.length() != Some(length) {
            bar.set_length(length);
            bar.set_style(style(length));
        }
        bar.set_message(message);
    }
}

fn new_bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    bar.set_style(style(0));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Before it is known how much there is to do, there is no bar that could say something; before the first bit of it
/// is done, no ETA.
fn style(length: u64) -> ProgressStyle {
    let template = if length == 0 {
        "{spinner} {wide_msg} {elapsed}"
    } else {
        "{spinner} {wide_msg} {bar:24} {percent:>3}% {elapsed}{left}"
    };
    let left = |state: &ProgressState, text: &mut dyn Write| {
        if state.pos() > 0 {
            let _ = write!(text, " ETA {}", whole_seconds(state.eta()));
        }
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━━╌")
        .with_key("left", left)
}

/// The line for an event; `None` when it is not worth one.
fn line(event: &Event, verbose: bool, quiet: bool, state: &State) -> Option<String> {
    let warning = |text: String| format!("{} {text}", paint(WARNING, "warning:"));
    let dim = |text: String| paint(DIM, text);
    let always = matches!(
        event,
        Event::Warning { .. }
            | Event::LockTakenOver { .. }
            | Event::Stopping { .. }
            | Event::InvalidIndexDropped { .. }
            | Event::Held { .. }
            | Event::GateOverridden { .. }
    );
    if quiet && !always {
        return None;
    }
    Some(match event {
        Event::RunStarted {
            command,
            target,
            directory,
            release,
            ..
        } => {
            let mut text = format!("{command}: {}", one_line(target));
            if let Some(directory) = directory {
                let _ = write!(text, ", migrations in {}", one_line(directory));
            }
            if let Some(release) = release {
                let _ = write!(text, ", release {}", one_line(release));
            }
            dim(text)
        }
        Event::DatabaseWaiting { waited, error } => dim(format!(
            "… waiting for the database{}: {}",
            so_far(*waited),
            one_line(&error.message)
        )),
        Event::LockWaiting { waited, holder } => {
            let holder = holder.as_ref().map_or_else(
                || "another runner".to_owned(),
                |holder| one_line(&holder.to_string()),
            );
            dim(format!(
                "… waiting for the runner lock{}, held by {holder}",
                so_far(*waited)
            ))
        }
        Event::LockAcquired { waited, pooled, .. } => {
            if !verbose && *waited < Duration::from_secs(1) {
                return None;
            }
            let pooled = if *pooled {
                "; a transaction pooler is in between, the lease alone guards the run"
            } else {
                ""
            };
            dim(format!(
                "got the runner lock after {}{pooled}",
                took(*waited)
            ))
        }
        Event::LockTakenOver { holder } => warning(format!(
            "took the runner lock over from a runner that is dead or silent: {}",
            one_line(&holder.to_string())
        )),
        Event::Planned {
            pending, applied, ..
        } => dim(format!(
            "{} to {}, {applied} applied",
            count(*pending, "migration"),
            if state.reverting { "revert" } else { "run" }
        )),
        Event::Warning { message, .. } => warning(one_line(message)),
        Event::MigrationStarted {
            script,
            resumed_after,
            mode,
            ..
        } => match resumed_after {
            Some(done) if *done > 0 => dim(format!("{script}: goes on after statement {done}")),
            Some(_) => dim(format!("{script}: tries again what an earlier run left")),
            None if verbose => {
                let mode = if *mode == Mode::Transaction {
                    "in one transaction"
                } else {
                    "statement by statement"
                };
                dim(format!("{script}: {mode}"))
            }
            None => return None,
        },
        Event::StatementStarted {
            statement,
            verb,
            line,
            ..
        } if verbose => dim(format!(
            "  statement {statement}, line {line}: {}",
            one_line(verb)
        )),
        Event::Notice { notice, .. }
            if verbose || notice.severity.eq_ignore_ascii_case("warning") =>
        {
            format!(
                "  {}: {}",
                one_line(&notice.severity),
                one_line(&notice.message)
            )
        }
        Event::Blocked {
            statement,
            waited,
            blockers,
            ..
        } => {
            let mut text = format!(
                "  … statement {statement} waits for a lock ({})",
                took(*waited)
            );
            for blocker in blockers.iter().take(BLOCKERS) {
                let _ = write!(text, "\n    held by {}", one_line(&blocker.to_string()));
            }
            if blockers.len() > BLOCKERS {
                let _ = write!(text, "\n    and {} more", blockers.len() - BLOCKERS);
            }
            text
        }
        Event::Retrying {
            attempt,
            error,
            pause,
            budget_left,
            ..
        } => format!(
            "  try {attempt} gave way: {}; the next one in {} (for {} more)",
            one_line(&error.message),
            took(*pause),
            whole_seconds(*budget_left)
        ),
        Event::Settled {
            statement,
            done,
            how,
            ..
        } => {
            let done = if *done {
                "had taken effect"
            } else {
                "had not taken effect"
            };
            dim(format!(
                "  statement {statement} of the earlier run {done} ({how})"
            ))
        }
        Event::InvalidIndexDropped { index, .. } => warning(format!(
            "dropped the invalid index {} that a failed build left behind",
            one_line(index)
        )),
        Event::MigrationFinished {
            script,
            duration,
            attempts,
            ..
        } => {
            let (number, total) = (state.number, state.total);
            let width = total.to_string().len();
            let tries = if *attempts > 1 {
                format!(", {attempts} tries")
            } else {
                String::new()
            };
            let time = paint(DIM, format!("{}{tries}", took(*duration)));
            format!(
                "{} {} {script}  {time}",
                paint(GOOD, "✓"),
                paint(DIM, format!("{number:>width$}/{total}"))
            )
        }
        Event::DeploymentOpened {
            deployment,
            release,
            previous_release,
            reopened,
        } => {
            let release = one_line(release);
            let word = if *reopened { "opened again" } else { "opened" };
            let after = match previous_release {
                Some(previous) if !reopened => format!(", after {}", one_line(previous)),
                _ => String::new(),
            };
            dim(format!(
                "deployment {deployment} of release {release} {word}{after}"
            ))
        }
        // The last sentence says it.
        Event::DeploymentClosed { .. } | Event::BelowFloor { .. } => return None,
        Event::Held {
            script,
            reasons,
            waiting,
            ..
        } => {
            let mut text = format!("{} {}", paint(WARNING, "held:"), one_line(script));
            for reason in reasons {
                let _ = write!(text, "\n    {}", one_line(&reason.message));
            }
            for file in waiting {
                let _ = write!(text, "\n    {} waits behind it", one_line(file));
            }
            text
        }
        Event::GateOverridden {
            script,
            reason,
            gates,
            ..
        } => {
            let mut text = warning(format!(
                "{} runs although it should wait: {}",
                one_line(script),
                one_line(reason)
            ));
            for gate in gates {
                let _ = write!(text, "\n    {}", one_line(&gate.message));
            }
            text
        }
        Event::Stopping { reason } => format!("{} {reason}", paint(BAD, "stopping:")),
        Event::StatementStarted { .. }
        | Event::Notice { .. }
        | Event::Progress { .. }
        | Event::RunFinished { .. } => {
            return None;
        }
    })
}

/// ` (10s)`; nothing in the first second.
fn so_far(waited: Duration) -> String {
    if waited.as_secs() == 0 {
        String::new()
    } else {
        format!(" ({})", whole_seconds(waited))
    }
}

#[cfg(test)]
mod tests;
