//! What users of forerun live through, on a real Kubernetes cluster: `scripts/cluster test` brings it up and runs this.
//!
//! `forerun-cluster-stories [--list] [NAME…]`: the stories whose name contains one of the words.
//! `FORERUN_STORIES_AT_A_TIME` (6) of them run at a time.

mod delivery;
mod observe;
mod place;
mod process;
mod requests;
mod runner;
mod settings;
mod stories;

use std::env;
use std::process::ExitCode;

use settings::Settings;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let mut chosen = stories::all();
    if words.iter().any(|word| word == "--list") {
        for story in &chosen {
            println!("{}", story.name);
        }
        return ExitCode::SUCCESS;
    }
    if !words.is_empty() {
        chosen.retain(|story| words.iter().any(|word| story.name.contains(word.as_str())));
    }
    if chosen.is_empty() {
        eprintln!("no story is called like that; --list shows them");
        return ExitCode::from(2);
    }
    let settings = match Settings::read() {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let at_a_time = env::var("FORERUN_STORIES_AT_A_TIME")
        .ok()
        .and_then(|text| text.parse().ok());
    if runner::run(&settings, &chosen, at_a_time.unwrap_or(6)) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
