-- no-transaction, as the database asks for it
VACUUM;
