//! Any files as a directory of any layout: nothing panics, every script that is found can be opened and read, and its
//! lines stay where they are in the file.
//!
//! The input is a layout's number and up to four files: `name NUL text NUL name NUL text …`.
#![no_main]

use std::io::Read;

use forerun_migrations::directory::{Layout, MigrationDirectory, ReadOptions};
use forerun_sql::Dialect;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let layouts: Vec<Layout> = Layout::all().collect();
    let layout = layouts.get(usize::from(*first) % (layouts.len() + 1));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut parts = rest.split(|byte| *byte == 0);
    for _ in 0..4 {
        let (Some(name), Some(text)) = (parts.next(), parts.next()) else {
            break;
        };
        let Ok(name) = std::str::from_utf8(name) else {
            continue;
        };
        let outside = |part: &str| part.is_empty() || part.starts_with('.') || part.len() > 100;
        if name.split('/').any(outside) || name.matches('/').count() > 3 {
            continue;
        }
        let path = folder.path().join(name);
        let made = path.parent().map(std::fs::create_dir_all);
        if made.is_some_and(|made| made.is_ok()) {
            let _ = std::fs::write(path, text);
        }
    }
    for dialect in [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite] {
        let options = ReadOptions {
            layout: layout.copied(),
            dialect: Some(dialect),
            ..ReadOptions::default()
        };
        let directory = match MigrationDirectory::read(folder.path(), &options) {
            Ok(directory) => directory,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                continue;
            }
        };
        for migration in &directory.migrations {
            assert!(directory.get(&migration.version).is_some());
            let scripts = [Some(&migration.up), migration.down.as_ref(), migration.checkpoint.as_ref()];
            for script in scripts.into_iter().flatten() {
                let mut text = String::new();
                let mut reader = script.open().expect("the file is there");
                reader.read_to_string(&mut text).expect("it is text");
                let lines = std::fs::read_to_string(&script.path).expect("the file is there");
                assert!(text.lines().count() <= lines.lines().count().max(1) + 1);
                let _ = script.inspect(dialect);
            }
        }
        let _ = directory.converted();
    }
});
