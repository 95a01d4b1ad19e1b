SELECT 1
  FROM {database}.forerun_audit
 WHERE event LIKE 'baseline%' OR event LIKE 'adopt%'
    OR event = 'run.finished'
       AND IF(JSON_VALID(detail),
              JSON_EXTRACT(detail, '$.ok') = TRUE
              AND COALESCE(JSON_UNQUOTE(JSON_EXTRACT(detail, '$.left_for_later')), '0') = '0',
              FALSE)
 LIMIT 1
