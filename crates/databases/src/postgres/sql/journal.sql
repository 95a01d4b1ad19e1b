SELECT version, script, direction, statements_done, prefix_checksum,
       in_doubt_statement, in_doubt_fingerprint, in_doubt_answer,
       to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       run_id
FROM {schema}.forerun_journal
