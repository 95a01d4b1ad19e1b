CREATE TABLE invoices (id integer PRIMARY KEY, currency text DEFAULT {{.currency}});
