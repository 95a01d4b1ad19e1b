SELECT process.id, process.user, NULL, process.host, 'open transaction (likely)',
       TIMESTAMPDIFF(SECOND, trx.trx_started, NOW()), LEFT(COALESCE(process.info, ''), 200)
  FROM information_schema.innodb_trx trx
  JOIN information_schema.processlist process ON process.id = trx.trx_mysql_thread_id
 WHERE process.id NOT IN ({id}, CONNECTION_ID())
   AND COALESCE(process.state, '') NOT LIKE 'Waiting for%lock'
 ORDER BY trx.trx_started
 LIMIT 5
