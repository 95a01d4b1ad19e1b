//! `read-directory LAYOUT DIRECTORY` reads a directory of migrations as forerun does and says how many there are.
//! With `plain` as the layout it does the least that such reading can be: each file once, as bytes, and one SHA-256.

use std::path::Path;
use std::process::ExitCode;

use forerun_migrations::directory::{Layout, MigrationDirectory, ReadOptions};
use sha2::{Digest, Sha256};

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [layout, directory] = arguments.as_slice() else {
        eprintln!("usage: read-directory LAYOUT|plain DIRECTORY");
        return ExitCode::from(2);
    };
    match count(layout, Path::new(directory)) {
        Ok(count) => {
            println!("{count}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("read-directory: {error}");
            ExitCode::FAILURE
        }
    }
}

fn count(layout: &str, directory: &Path) -> Result<usize, Failure> {
    if layout == "plain" {
        return plain(directory);
    }
    let options = ReadOptions {
        layout: Some(Layout::named(layout).ok_or("there is no such layout")?),
        ..ReadOptions::default()
    };
    let read = MigrationDirectory::read(directory, &options)?;
    let count = read.migrations.len();
    // Reading is measured, and not the clearing away, which no run of forerun waits for.
    std::mem::forget(read);
    Ok(count)
}

fn plain(directory: &Path) -> Result<usize, Failure> {
    let mut files = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files += plain(&entry.path())?;
        } else {
            let digest = Sha256::digest(std::fs::read(entry.path())?);
            std::hint::black_box(digest);
            files += 1;
        }
    }
    Ok(files)
}
