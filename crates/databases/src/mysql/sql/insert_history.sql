INSERT INTO {database}.forerun_history ({columns})
SELECT {values}
  FROM {database}.forerun_lock
 WHERE name = 'runner' AND token = {token}
   FOR UPDATE
