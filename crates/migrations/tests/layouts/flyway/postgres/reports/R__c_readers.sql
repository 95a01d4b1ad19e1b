GRANT SELECT ON customer_names TO ${reader};
