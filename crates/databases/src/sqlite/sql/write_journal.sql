INSERT OR REPLACE INTO main.forerun_journal
    (version, script, direction, statements_done, prefix_checksum, in_doubt_statement, in_doubt_fingerprint,
     in_doubt_answer, started_at, run_id, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
