SELECT DISTINCT process.id, process.user, NULL, process.host,
       IF(process.command = 'Sleep', 'idle in transaction', 'active'),
       TIMESTAMPDIFF(SECOND, blocker.trx_started, NOW()), LEFT(COALESCE(process.info, ''), 200)
  FROM information_schema.innodb_trx waiter
  JOIN information_schema.innodb_lock_waits waits ON waits.requesting_trx_id = waiter.trx_id
  JOIN information_schema.innodb_trx blocker ON blocker.trx_id = waits.blocking_trx_id
  JOIN information_schema.processlist process ON process.id = blocker.trx_mysql_thread_id
 WHERE waiter.trx_mysql_thread_id = {id}
 ORDER BY 6 DESC
 LIMIT 10
