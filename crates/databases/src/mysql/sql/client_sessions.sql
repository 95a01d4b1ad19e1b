SELECT process.id, process.user, COALESCE(attribute.attr_value, ''), process.host
  FROM information_schema.processlist process
  LEFT JOIN performance_schema.session_connect_attrs attribute
    ON attribute.processlist_id = process.id AND attribute.attr_name = 'program_name'
 WHERE process.db = {name} AND process.id <> CONNECTION_ID() AND COALESCE(attribute.attr_value, '') <> 'forerun'
 ORDER BY process.id
