REPLACE INTO {database}.forerun_journal ({columns})
SELECT {values}
  FROM {database}.forerun_lock
 WHERE name = 'runner' AND token = {token}
   FOR UPDATE
