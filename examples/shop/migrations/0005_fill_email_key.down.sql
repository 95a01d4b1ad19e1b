UPDATE customers SET email_key = NULL;
