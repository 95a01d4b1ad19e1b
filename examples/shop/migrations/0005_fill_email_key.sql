-- forerun:data

-- forerun:assert "no two customers share an e-mail address in different spellings"
SELECT lower(email), count(*) FROM customers GROUP BY lower(email) HAVING count(*) > 1;

UPDATE customers SET email_key = lower(email) WHERE email_key IS NULL;
