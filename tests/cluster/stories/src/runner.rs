//! Runs stories, some at a time, and tells how they went.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use crate::place::Place;
use crate::process::Failure;
use crate::settings::Settings;

/// Something that users live through.
pub struct Story {
    /// Its name, and that of its namespace.
    pub name: &'static str,
    /// Labels of its namespace.
    pub labels: &'static str,
    /// It disturbs others, so it runs alone.
    pub alone: bool,
    /// What happens.
    pub tell: fn(&Place) -> Result<(), Failure>,
}

impl Story {
    /// A story that others may happen beside.
    pub fn new(name: &'static str, tell: fn(&Place) -> Result<(), Failure>) -> Self {
        Self {
            name,
            labels: "",
            alone: false,
            tell,
        }
    }
}

/// Runs them; whether all went well.
pub fn run(settings: &Settings, stories: &[Story], at_a_time: usize) -> bool {
    let begin = Instant::now();
    let (alone, together): (Vec<_>, Vec<_>) = stories.iter().partition(|story| story.alone);
    let failed = Mutex::new(Vec::new());
    let queue = Mutex::new(together.into_iter());
    thread::scope(|scope| {
        for _ in 0..at_a_time {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    match next {
                        Some(story) => tell(settings, story, &failed),
                        None => break,
                    }
                }
            });
        }
    });
    for story in alone {
        tell(settings, story, &failed);
    }
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    let seconds = begin.elapsed().as_secs();
    if failed.is_empty() {
        println!("{} stories, all well ({seconds} s)", stories.len());
    } else {
        println!(
            "{} of {} stories FAILED ({seconds} s): {}",
            failed.len(),
            stories.len(),
            failed.join(", ")
        );
    }
    failed.is_empty()
}

fn tell<'a>(settings: &Settings, story: &Story, failed: &Mutex<Vec<&'a str>>)
where
    'static: 'a,
{
    let begin = Instant::now();
    let place = Place::with_labels(settings, story.name, story.labels);
    let told = match &place {
        Ok(place) => catch_unwind(AssertUnwindSafe(|| (story.tell)(place)))
            .unwrap_or_else(|_| Err("it panicked, see above".to_owned())),
        Err(error) => Err(format!("there is no place for it: {error}")),
    };
    let seconds = begin.elapsed().as_secs_f64();
    match told {
        Ok(()) => {
            println!("ok      {:<34} {seconds:5.1} s", story.name);
            if let Ok(place) = &place {
                place.leave();
            }
        }
        Err(error) => {
            let look = place.as_ref().map(Place::look).unwrap_or_default();
            // In one piece: other stories print as well.
            let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
            failed.push(story.name);
            println!(
                "FAILED  {:<34} {seconds:5.1} s\n{error}\n---- {} ----\n{look}\n----",
                story.name, story.name
            );
        }
    }
}
