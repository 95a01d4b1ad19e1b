//! Command line.

use std::path::PathBuf;

use crate::store::Product;

/// What to measure, and how thoroughly.
#[derive(Debug)]
pub struct Options {
    /// Parts: `up`, `noop`, `copy`, `version`.
    pub parts: Vec<String>,
    /// Databases for `up` and `noop`.
    pub products: Vec<Product>,
    /// Fewer migrations, rounds and rows: tells whether the benchmark works, not how fast forerun is.
    pub quick: bool,
    /// Rounds of the slow parts (`up`, `copy`).
    pub rounds: usize,
    /// Measure the other tools too.
    pub peers: bool,
    /// Size of the COPY script.
    pub copy_bytes: u64,
    /// The program under test.
    pub forerun: PathBuf,
    /// Where to leave the script of everything that forerun sent, to look at.
    pub keep_session: Option<PathBuf>,
    /// Commit that the program was built from, when `bench/run` built it.
    pub built_from: Option<String>,
    /// Where `scripts/peers` puts the peers.
    pub peers_directory: PathBuf,
}

const PARTS: [&str; 7] = ["version", "render", "read", "lint", "up", "noop", "copy"];

impl Options {
    /// From arguments.
    ///
    /// # Errors
    /// A sentence about the argument that is not understood.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let cache = std::env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))
            .ok_or("neither XDG_CACHE_HOME nor HOME is set")?;
        let mut options = Self {
            parts: PARTS.map(str::to_owned).to_vec(),
            products: vec![Product::Postgres, Product::Mariadb, Product::Sqlite],
            quick: false,
            rounds: 0,
            peers: true,
            copy_bytes: 0,
            forerun: PathBuf::new(),
            keep_session: None,
            built_from: None,
            peers_directory: cache.join("forerun/peers/bin"),
        };
        while let Some(argument) = arguments.next() {
            let (name, mut inline) = match argument.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (argument, None),
            };
            let mut value = || {
                inline
                    .take()
                    .or_else(|| arguments.next())
                    .ok_or(format!("{name} needs a value"))
            };
            match name.as_str() {
                "--only" => {
                    options.parts = value()?.split(',').map(str::to_owned).collect();
                    if let Some(unknown) = options
                        .parts
                        .iter()
                        .find(|part| !PARTS.contains(&part.as_str()))
                    {
                        return Err(format!(
                            "--only {unknown}: it is one of {}",
                            PARTS.join(", ")
                        ));
                    }
                }
                "--databases" => {
                    let parse = |name: &str| {
                        Product::parse(name)
                            .ok_or(format!("--databases {name}: postgres, mariadb or sqlite"))
                    };
                    options.products = value()?.split(',').map(parse).collect::<Result<_, _>>()?;
                }
                "--quick" => options.quick = true,
                "--rounds" => {
                    options.rounds = value()?
                        .parse()
                        .map_err(|error| format!("--rounds: {error}"))?;
                }
                "--peers" => {
                    options.peers = match value()?.as_str() {
                        "none" => false,
                        // The wrapper has installed what was missing.
                        "installed" | "all" => true,
                        other => return Err(format!("--peers {other}: none, installed or all")),
                    }
                }
                "--copy-bytes" => {
                    options.copy_bytes = value()?
                        .parse()
                        .map_err(|error| format!("--copy-bytes: {error}"))?;
                }
                "--keep-session" => options.keep_session = Some(PathBuf::from(value()?)),
                "--built-from" => options.built_from = Some(value()?),
                "--forerun" => options.forerun = PathBuf::from(value()?),
                other => return Err(format!("{other} is not an option of bench/run")),
            }
        }
        if options.rounds == 0 {
            options.rounds = if options.quick { 2 } else { 5 };
        }
        if options.copy_bytes == 0 {
            options.copy_bytes = if options.quick {
                50_000_000
            } else {
                1_000_000_000
            };
        }
        if !options.forerun.is_file() {
            return Err(format!("no program at {:?} (--forerun)", options.forerun));
        }
        Ok(options)
    }

    /// Whether a part is wanted.
    pub fn wants(&self, part: &str) -> bool {
        self.parts.iter().any(|wanted| wanted == part)
    }
}
