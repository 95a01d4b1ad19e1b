-- The plugin lists granted locks only; the statement that waits tells which table it is about.
SELECT DISTINCT process.id, process.user, NULL, process.host,
       IF(process.command = 'Sleep', 'idle in transaction', 'active'),
       TIMESTAMPDIFF(SECOND, trx.trx_started, NOW()), LEFT(COALESCE(process.info, ''), 200)
  FROM information_schema.processlist waiter
  JOIN information_schema.metadata_lock_info held
    ON held.thread_id <> waiter.id AND LOCATE(held.table_name, waiter.info) > 0 AND held.table_name <> ''
  JOIN information_schema.processlist process ON process.id = held.thread_id
  LEFT JOIN information_schema.innodb_trx trx ON trx.trx_mysql_thread_id = process.id
 WHERE waiter.id = {id} AND process.id <> CONNECTION_ID()
   AND process.state NOT LIKE 'Waiting for%lock'
 ORDER BY 6 DESC
 LIMIT 10
