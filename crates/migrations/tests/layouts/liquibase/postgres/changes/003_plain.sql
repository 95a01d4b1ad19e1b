-- No changelog: included as it is.
CREATE TABLE plain (id integer);
