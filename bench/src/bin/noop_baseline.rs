//! The least that a "nothing to do" run can be: connect, read the history, read and hash each file once.
//!
//! `noop-baseline <database URL> <directory>`. It uses the driver libraries that forerun uses, compares
//! each file's SHA-256 with the one in `forerun_history.checksum_raw`, and exits 0 when all agree.

use std::collections::HashMap;
use std::path::Path;
use std::process::ExitCode;

use mysql_async::prelude::Queryable;
use sha2::{Digest, Sha256};

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, directory] = arguments.as_slice() else {
        eprintln!("usage: noop-baseline <database URL> <directory>");
        return ExitCode::from(2);
    };
    match check(url, Path::new(directory)) {
        Ok(count) => {
            println!("{count} files agree with the history");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("noop-baseline: {error}");
            ExitCode::FAILURE
        }
    }
}

fn check(url: &str, directory: &Path) -> Result<usize, Failure> {
    let history = if let Some(path) = url.strip_prefix("sqlite://") {
        sqlite(path)?
    } else {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            if url.starts_with("mysql://") {
                mysql(url).await
            } else {
                postgres(url).await
            }
        })?
    };
    let mut files = 0;
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or("a name that is not UTF-8")?;
        if !name.ends_with(".sql") {
            continue;
        }
        let digits = name.split('_').next().unwrap_or_default();
        let version = digits.trim_start_matches('0');
        let digest = hexadecimal(&Sha256::digest(std::fs::read(&path)?));
        if history.get(version) != Some(&digest) {
            return Err(format!("{name} differs from the history").into());
        }
        files += 1;
    }
    if files == history.len() {
        Ok(files)
    } else {
        Err("the history has other versions".into())
    }
}

const SELECT: &str = "SELECT version, checksum_raw FROM forerun_history";

async fn postgres(url: &str) -> Result<HashMap<String, String>, Failure> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    let rows = client.simple_query(SELECT).await?;
    let mut history = HashMap::new();
    for message in rows {
        if let tokio_postgres::SimpleQueryMessage::Row(row) = message {
            history.insert(
                row.get(0).unwrap_or_default().to_owned(),
                row.get(1).unwrap_or_default().to_owned(),
            );
        }
    }
    Ok(history)
}

async fn mysql(url: &str) -> Result<HashMap<String, String>, Failure> {
    // Over TCP like everybody else, and without a second connection to the socket.
    let options = mysql_async::OptsBuilder::from_opts(mysql_async::Opts::from_url(url)?);
    let mut connection = mysql_async::Conn::new(options.prefer_socket(false)).await?;
    let rows: Vec<(String, String)> = connection.query(SELECT).await?;
    connection.disconnect().await?;
    Ok(rows.into_iter().collect())
}

fn sqlite(path: &str) -> Result<HashMap<String, String>, Failure> {
    let connection = rusqlite::Connection::open(path)?;
    let mut statement = connection.prepare(SELECT)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn hexadecimal(digest: &[u8]) -> String {
    use std::fmt::Write;
    digest
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
