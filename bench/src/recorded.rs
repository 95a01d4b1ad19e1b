//! What forerun really sends to a database, as a script for the database's own client: the yardstick for
//! "a single client session that sends the same transactions".
//!
//! PostgreSQL and MariaDB log every statement of one probe run. SQLite logs nothing; there the script is put
//! together from what the run left in the file (`crates/databases/src/sqlite` has the shape of a transaction).
//!
//! Two scripts: *all* statements, and only the *transactions*: without what is asked and set between them,
//! which a session that only sends the transactions would not need.

use std::fmt::Write;

use crate::store::{Place, Product};

/// The statements of one session in order, grouped as they were sent.
#[derive(Debug)]
pub struct Recording {
    product: Product,
    database: String,
    messages: Vec<String>,
}

/// Which statements a script holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Everything.
    All,
    /// What writes, and what is sent inside of transactions.
    Transactions,
}

/// Makes the server log what sessions in `place` send from now on.
///
/// # Errors
/// The client's message.
pub fn start(place: &Place<'_>) -> Result<(), String> {
    match place.store().product() {
        Product::Postgres => place.query(&format!("ALTER DATABASE \"{}\" SET log_statement = 'all'", place.name())),
        Product::Mariadb => place.query(
            "TRUNCATE TABLE mysql.general_log; SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = 1;",
        ),
        Product::Sqlite => Ok(String::new()),
    }
    .map(|_| ())
}

/// What the busiest session in `place` sent since [`start`].
///
/// # Errors
/// The log cannot be read, or holds nothing.
pub fn finish(place: &Place<'_>) -> Result<Recording, String> {
    let messages = match place.store().product() {
        Product::Postgres => postgres(&place.server_log()),
        Product::Mariadb => {
            place.query("SET GLOBAL general_log = 0")?;
            // Hexadecimal: the client would escape line ends.
            let log = place.query(
                "SELECT thread_id, command_type, HEX(argument) FROM mysql.general_log \
                 WHERE command_type IN ('Query', 'Execute')",
            )?;
            mariadb(&log, place.name())
        }
        Product::Sqlite => sqlite(place)?,
    };
    if messages.len() < 100 {
        return Err(format!(
            "the log of the probe run has only {} statements",
            messages.len()
        ));
    }
    Ok(Recording {
        product: place.store().product(),
        database: place.name().to_owned(),
        messages,
    })
}

/// forerun compares the transaction's id with the one it began: in a replay that is another number, and nothing would be
/// written.
fn own_transaction(message: &str) -> String {
    const CHECK: &str = "txid_current() = ";
    let mut parts = message.split(CHECK);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(CHECK);
        text.push_str("txid_current()");
        text.push_str(part.trim_start_matches(|digit: char| digit.is_ascii_digit()));
    }
    text
}

impl Recording {
    /// How many messages a script of this part sends.
    pub fn messages(&self, part: Part) -> usize {
        self.chosen(part).len()
    }

    /// The script for the client, to be run in the empty database `database`.
    pub fn script(&self, part: Part, database: &str) -> String {
        let mut script = String::new();
        if self.product == Product::Postgres && part == Part::All {
            // What forerun reads to find out whether its tables are there fails here too.
            script.push_str("\\set ON_ERROR_STOP off\n");
        }
        if self.product == Product::Mariadb {
            // What was one message stays one, also with a `;` in it.
            script.push_str("DELIMITER $$$$\n");
        }
        for message in self.chosen(part) {
            let message = own_transaction(&message.replace(&self.database, database));
            let _ = match self.product {
                Product::Postgres => {
                    // `\;` is psql's way to send several statements as one message.
                    writeln!(script, "{};", statements(&message).join(" \\;\n"))
                }
                Product::Mariadb => writeln!(script, "{message}\n$$$$"),
                Product::Sqlite => writeln!(script, "{message};"),
            };
        }
        script
    }

    fn chosen(&self, part: Part) -> Vec<&str> {
        let mut open = false;
        let mut chosen = Vec::new();
        for message in &self.messages {
            let parts = statements(message);
            let verbs: Vec<String> = parts.iter().map(|part| verb(part)).collect();
            let begins = verbs
                .iter()
                .any(|verb| matches!(verb.as_str(), "BEGIN" | "START"));
            let ends = verbs
                .iter()
                .any(|verb| matches!(verb.as_str(), "COMMIT" | "ROLLBACK"));
            let writes = verbs.iter().any(|verb| {
                matches!(
                    verb.as_str(),
                    "CREATE"
                        | "ALTER"
                        | "DROP"
                        | "INSERT"
                        | "UPDATE"
                        | "DELETE"
                        | "REPLACE"
                        | "WITH"
                )
            });
            if part == Part::All || open || begins || writes {
                chosen.push(message.as_str());
            }
            open = (open || begins) && !ends;
        }
        chosen
    }
}

fn verb(statement: &str) -> String {
    statement
        .split(|char: char| !char.is_ascii_alphabetic())
        .find(|word| !word.is_empty())
        .unwrap_or_default()
        .to_uppercase()
}

/// Statements of a message, apart at each `;` that is not in a literal, an identifier or a comment.
fn statements(message: &str) -> Vec<&str> {
    let bytes = message.as_bytes();
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'\'' | b'"' | b'`') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += 1;
                }
            }
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                while at < bytes.len() && bytes[at] != b'\n' {
                    at += 1;
                }
            }
            b';' => {
                parts.push(&message[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(&message[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts.iter().map(|part| part.trim()).collect()
}

/// The statements in a PostgreSQL log whose lines start with `%m [%p] %q%a `, of the process that sent most.
fn postgres(log: &str) -> Vec<String> {
    let mut sent: Vec<(u32, String)> = Vec::new();
    let mut in_statement = false;
    for line in log.lines() {
        if let Some(more) = line.strip_prefix('\t') {
            if in_statement && let Some((_, statement)) = sent.last_mut() {
                statement.push('\n');
                statement.push_str(more);
            }
            continue;
        }
        in_statement = false;
        let process = line
            .split_once('[')
            .and_then(|(_, rest)| rest.split_once(']'))
            .and_then(|(number, _)| number.parse().ok());
        let Some(process) = process else { continue };
        let simple = line
            .split_once("LOG:  statement: ")
            .map(|(_, statement)| statement);
        let prepared = line
            .split_once("LOG:  execute ")
            .and_then(|(_, rest)| rest.split_once(": "))
            .map(|(_, statement)| statement);
        if let Some(statement) = simple.or(prepared) {
            sent.push((process, statement.to_owned()));
            in_statement = true;
        }
    }
    of_the_busiest(sent)
}

/// Lines of thread, command and hexadecimal text, apart by tabs.
fn mariadb(log: &str, database: &str) -> Vec<String> {
    let sent = log.lines().filter_map(|line| {
        let mut columns = line.split('\t');
        let thread = columns.next()?.parse().ok()?;
        let text = from_hexadecimal(columns.nth(1)?)?;
        Some((thread, text))
    });
    let messages = of_the_busiest(sent.collect());
    // The session that reads the log is logged too, but it is never the busiest.
    messages
        .into_iter()
        .filter(|message| !message.is_empty() && message != &format!("USE `{database}`;"))
        .collect()
}

fn from_hexadecimal(text: &str) -> Option<String> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes: Option<Vec<u8>> = text
        .as_bytes()
        .chunks_exact(2)
        .map(|pair| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok())
        .collect();
    String::from_utf8(bytes?).ok()
}

fn of_the_busiest(sent: Vec<(u32, String)>) -> Vec<String> {
    let mut counts = std::collections::HashMap::new();
    for (session, _) in &sent {
        *counts.entry(*session).or_insert(0_usize) += 1;
    }
    let busiest = counts
        .into_iter()
        .max_by_key(|(_, count)| *count)
        .map(|(session, _)| session);
    sent.into_iter()
        .filter(|(session, _)| Some(*session) == busiest)
        .map(|(_, statement)| statement)
        .collect()
}

/// So many migrations share a transaction (`crates/databases/src/sqlite/together.rs`).
const SHARED: usize = 16;

/// The transactions that left this file behind.
fn sqlite(place: &Place<'_>) -> Result<Vec<String>, String> {
    let rows = |sql: &str| -> Result<Vec<String>, String> {
        Ok(place
            .query(sql)?
            .split('\u{1e}')
            .map(str::to_owned)
            .collect())
    };
    // Texts hold line ends, so each ends with a character that none of them holds.
    let own = rows(
        "SELECT group_concat(sql, char(30)) FROM sqlite_schema WHERE type = 'table' AND name LIKE 'forerun%'",
    )?;
    let lock = inserts(place, "forerun_lock", "1")?;
    let mut messages = vec!["BEGIN IMMEDIATE".to_owned()];
    messages.extend(own);
    messages.extend(lock);
    messages.push("COMMIT".to_owned());
    let tables = rows(
        "SELECT group_concat(sql, char(30)) FROM (SELECT sql FROM sqlite_schema WHERE type = 'table' AND name LIKE 'item%' ORDER BY name)",
    )?;
    let history = inserts(place, "forerun_history", "version")?;
    let audit = inserts(place, "forerun_audit", "id")?;
    let (mut of_versions, of_run): (Vec<_>, Vec<_>) = audit
        .into_iter()
        .partition(|insert| !insert.contains(",'run.") && !insert.contains(",'lock."));
    if tables.len() != history.len() || of_versions.len() != tables.len() {
        return Err(format!(
            "the file has {} tables, {} history rows and {} audit rows for them: not the shape that is known here",
            tables.len(),
            history.len(),
            of_versions.len()
        ));
    }
    messages.extend(of_run);
    let mut migrations = tables
        .into_iter()
        .zip(history)
        .zip(of_versions.drain(..))
        .peekable();
    while migrations.peek().is_some() {
        messages.push("BEGIN IMMEDIATE".to_owned());
        let (mut rows, mut entries) = (Vec::new(), Vec::new());
        for ((table, history), audit) in migrations.by_ref().take(SHARED) {
            messages.extend([
                "SAVEPOINT forerun_migration".to_owned(),
                table,
                "RELEASE forerun_migration".to_owned(),
            ]);
            rows.push(history);
            entries.push(audit);
        }
        messages.push("SELECT token FROM main.forerun_lock WHERE name = 'runner' AND run_id IS NOT NULL".to_owned());
        messages.extend(rows);
        messages.extend(entries);
        messages.push("COMMIT".to_owned());
    }
    same_number_of_commits(place, &messages)?;
    Ok(messages)
}

/// The file counts its transactions ("file change counter", <https://sqlite.org/fileformat2.html#the_database_header>):
/// an error when the script has other ones than forerun had.
fn same_number_of_commits(place: &Place<'_>, messages: &[String]) -> Result<(), String> {
    let header = std::fs::read(place.file()).map_err(|error| error.to_string())?;
    let counted: [u8; 4] = header
        .get(24..28)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or("the file of the probe run has no header")?;
    let counted = u32::from_be_bytes(counted) as usize;
    let in_script = messages
        .iter()
        .filter(|message| *message == "COMMIT")
        .count();
    // Its lock and its end are transactions too.
    if counted.abs_diff(in_script) > 10 {
        return Err(format!(
            "forerun wrote the file in {counted} transactions, the script has {in_script}: not the shape that is known here"
        ));
    }
    Ok(())
}

/// `INSERT` statements with the rows of a SQLite table.
fn inserts(place: &Place<'_>, table: &str, order: &str) -> Result<Vec<String>, String> {
    let columns = place.query(&format!(
        "SELECT group_concat(name) FROM pragma_table_info('{table}')"
    ))?;
    let values: Vec<String> = columns
        .split(',')
        .map(|column| format!("quote({column})"))
        .collect();
    let text = place.query(&format!(
        "SELECT group_concat(line, char(30)) FROM (SELECT 'INSERT INTO {table} ({columns}) VALUES (' || {} || ')' AS line \
         FROM {table} ORDER BY {order})",
        values.join(" || ',' || ")
    ))?;
    Ok(text.split('\u{1e}').map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_postgres_log_yields_the_busiest_session() {
        let log = "2026-01-01 00:00:00.000 UTC [7] forerun LOG:  statement: BEGIN; SET LOCAL a = 1\n\
                   2026-01-01 00:00:00.000 UTC [9] psql LOG:  statement: SELECT 1\n\
                   2026-01-01 00:00:00.000 UTC [7] forerun LOG:  statement: CREATE TABLE t (\n\t  id int\n\t)\n\
                   2026-01-01 00:00:00.000 UTC [1] LOG:  checkpoint starting\n\
                   2026-01-01 00:00:00.000 UTC [7] forerun LOG:  execute s1: COMMIT\n";
        assert_eq!(
            postgres(log),
            [
                "BEGIN; SET LOCAL a = 1",
                "CREATE TABLE t (\n  id int\n)",
                "COMMIT"
            ]
        );
    }

    #[test]
    fn only_semicolons_between_statements_divide() {
        assert_eq!(
            statements("a 'x;y' ; b -- c;d\n; \"e;f\";"),
            ["a 'x;y'", "b -- c;d", "\"e;f\""]
        );
    }

    #[test]
    fn the_transactions_are_what_writes_and_what_is_between_begin_and_commit() {
        let messages = [
            "SHOW x",
            "BEGIN; SET LOCAL y = 1",
            "SELECT 1",
            "COMMIT",
            "SELECT 2",
            "CREATE TABLE a (b int)",
        ];
        let recording = Recording {
            product: Product::Postgres,
            database: "bench_00001".to_owned(),
            messages: messages
                .iter()
                .map(|message| (*message).to_owned())
                .collect(),
        };
        assert_eq!(recording.messages(Part::All), 6);
        assert_eq!(
            recording.script(Part::Transactions, "bench_00002"),
            "BEGIN \\;\nSET LOCAL y = 1;\nSELECT 1;\nCOMMIT;\nCREATE TABLE a (b int);\n"
        );
    }
}
