SELECT EXISTS (
    SELECT FROM {schema}.forerun_audit
    WHERE event LIKE 'baseline%' OR event LIKE 'adopt%'
       OR event = 'run.finished' AND detail -> 'ok' = 'true'
          AND COALESCE(detail -> 'left_for_later', '0') = '0')
