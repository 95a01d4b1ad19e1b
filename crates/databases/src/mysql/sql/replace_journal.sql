REPLACE INTO {database}.forerun_journal
        (version, script, direction, statements_done, prefix_checksum, in_doubt_statement,
         in_doubt_fingerprint, in_doubt_answer, started_at, run_id, updated_at)
SELECT  {version}, {script}, {direction}, {statements_done}, {prefix_checksum}, {in_doubt_statement},
         {in_doubt_fingerprint}, {in_doubt_answer}, {started_at}, {run_id}, UTC_TIMESTAMP(6)
  FROM {database}.forerun_lock
 WHERE name = 'runner' AND token = {token}
   FOR UPDATE
