//! One scratch database for all examples, empty again after each.

use std::sync::Arc;

use forerun_databases::connection_url::ConnectionUrl;
use forerun_databases::open;
use forerun_migrations::database::{Database, Identity};
use forerun_migrations::trace::{Failure, How, TracedStatement, Tracer};
use forerun_sql::lint::Script;
use forerun_sql::{Dialect, Piece, Splitter, TransactionUse, classify};
use forerun_test_support::{MariadbServer, PostgresServer, TestDatabase};

use crate::rows;

pub struct Scratch {
    database: Arc<dyn Database>,
    dialect: Dialect,
    _server: Option<TestDatabase<'static>>,
    _directory: tempfile::TempDir,
}

impl Scratch {
    /// `None` when the server is not installed.
    pub fn of(dialect: Dialect) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let server = match dialect {
            Dialect::Postgres => Some(PostgresServer::shared()?.fresh_database()),
            Dialect::Mysql => Some(MariadbServer::shared()?.fresh_database()),
            Dialect::Sqlite => None,
        };
        let url = match &server {
            Some(server) => server.url.clone(),
            None => format!("sqlite://{}", directory.path().join("scratch.db").display()),
        };
        let url = ConnectionUrl::parse(&url, &|_| None).expect("a good URL");
        Some(Self {
            database: open(&url),
            dialect,
            _server: server,
            _directory: directory,
        })
    }

    async fn tracer(&self) -> Tracer {
        let identity = Identity {
            run_id: "lint".to_owned(),
            actor: "tester".to_owned(),
            host: "host".to_owned(),
            release: None,
            tool_version: "0.0.0".to_owned(),
        };
        let mut observer = self.database.observer(&identity).await.expect("connects");
        let left = observer.contents().await.expect("reads");
        assert!(left.is_empty(), "the example before left {left:?}");
        Tracer::new(self.database.as_ref(), observer, None)
    }

    /// What the server does for the files after `before`.
    pub async fn trace(
        &self,
        before: &str,
        files: &[&str],
    ) -> Result<Vec<TracedStatement>, String> {
        match self.trace_with(before, files, true).await {
            // The rows of the test are in the way of rows that the files write.
            Err(error) if error.contains("duplicate key") => {
                self.trace_with(before, files, false).await
            }
            traced => traced,
        }
    }

    async fn trace_with(
        &self,
        before: &str,
        files: &[&str],
        filled: bool,
    ) -> Result<Vec<TracedStatement>, String> {
        let mut tracer = self.tracer().await;
        let traced = self.run(&mut tracer, before, files, filled).await;
        tracer.clear().await.expect("is emptied");
        traced
    }

    async fn run(
        &self,
        tracer: &mut Tracer,
        before: &str,
        files: &[&str],
        filled: bool,
    ) -> Result<Vec<TracedStatement>, String> {
        let how = |text: &str, observed| How {
            transaction: in_transaction(self.dialect, text),
            wrapped: false,
            observed,
        };
        let ran = tracer.run(before.as_bytes(), how(before, false)).await;
        ran.map_err(|failure| said(before, failure))?;
        if filled {
            rows::fill(self.dialect, tracer).await;
        }
        tracer.begin().await.map_err(|error| error.to_string())?;
        let mut traced = Vec::new();
        for file in files {
            let ran = tracer.run(file.as_bytes(), how(file, true)).await;
            traced.extend(ran.map_err(|failure| said(file, failure))?);
        }
        Ok(traced)
    }
}

fn said(file: &str, failure: Failure) -> String {
    match failure {
        Failure::Split(error) => format!("{file:?} cannot be read: {error}"),
        Failure::Statement { sql, error, .. } => format!("{sql:?} is refused: {error}"),
    }
}

/// Whether the engine would run it in one transaction.
pub fn in_transaction(dialect: Dialect, text: &str) -> bool {
    let outside = |text: &str| classify(dialect, text).transaction == TransactionUse::Outside;
    let statements = script(dialect, text).statements;
    !text.contains("forerun:no-transaction") && !statements.iter().any(|one| outside(&one.text))
}

pub fn script(dialect: Dialect, text: &str) -> Script {
    let mut splitter = Splitter::new(text.as_bytes(), dialect);
    let mut statements = Vec::new();
    while let Some(piece) = splitter.next_piece().unwrap() {
        if let Piece::Statement(statement) = piece {
            statements.push(statement);
        }
    }
    Script { statements }
}
