SELECT version, script, direction, statements_done, prefix_checksum, in_doubt_statement,
       in_doubt_fingerprint, in_doubt_answer, DATE_FORMAT(started_at, '%Y-%m-%dT%H:%i:%s.%fZ'), run_id
  FROM {database}.forerun_journal
