SELECT DISTINCT blocker.PROCESSLIST_ID, blocker.PROCESSLIST_USER, attribute.ATTR_VALUE, blocker.PROCESSLIST_HOST,
       IF(blocker.PROCESSLIST_COMMAND = 'Sleep', 'idle in transaction', 'active'),
       TIMESTAMPDIFF(SECOND, trx.trx_started, NOW()),
       LEFT(COALESCE(blocker.PROCESSLIST_INFO, last.SQL_TEXT), 200)
  FROM performance_schema.threads waiter
  JOIN performance_schema.data_lock_waits waits ON waits.REQUESTING_THREAD_ID = waiter.THREAD_ID
  JOIN performance_schema.threads blocker ON blocker.THREAD_ID = waits.BLOCKING_THREAD_ID
  LEFT JOIN performance_schema.events_statements_current last ON last.THREAD_ID = blocker.THREAD_ID
  LEFT JOIN performance_schema.session_connect_attrs attribute
    ON attribute.PROCESSLIST_ID = blocker.PROCESSLIST_ID AND attribute.ATTR_NAME = 'program_name'
  LEFT JOIN information_schema.innodb_trx trx ON trx.trx_mysql_thread_id = blocker.PROCESSLIST_ID
 WHERE waiter.PROCESSLIST_ID = {id}
 ORDER BY 6 DESC
 LIMIT 10
