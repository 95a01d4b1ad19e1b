--liquibase formatted sql logicalFilePath:shop/customers.sql

-- Lines before the first changeset are nobody's.

--changeset mia:1
--comment: People who buy
CREATE TABLE customer (
    id integer PRIMARY KEY,
    name varchar(100) NOT NULL -- as they write it; with ; and 'quotes'
);
CREATE INDEX customer_name ON customer (name);
--rollback DROP TABLE customer;

--changeset mia:2 labels:mail,v2 context:"shop or !empty"
-- Where they live in the net
ALTER TABLE customer ADD COLUMN email varchar(200);
--ignoreLines:2
ALTER TABLE customer ADD COLUMN never_one varchar(1);
ALTER TABLE customer ADD COLUMN never_two varchar(1);
--ignoreLines:start
ALTER TABLE customer ADD COLUMN never_three varchar(1);
--ignoreLines:end
UPDATE customer SET email = name;
/* liquibase rollback
ALTER TABLE customer
 DROP COLUMN email;
*/

--changeset "mia lee":"with blanks" runOnChange:true stripComments:false
--preconditions onFail:CONTINUE onError:HALT
--precondition-sql-check expectedResult:1 SELECT 1
--precondition-table-exists table:customer
INSERT INTO customer (id, name, email) VALUES (90, 'a;b', 'x') /* kept */;
--rollback not required

--changeset mia:4 endDelimiter:// rollbackEndDelimiter:@
INSERT INTO customer (id, name) VALUES (91, 'one // two')//
INSERT INTO customer (id, name) VALUES (92, 'three')
//
--rollback DELETE FROM customer WHERE id = 91@
--rollback DELETE FROM customer WHERE id = 92@

--changeset mia:5 endDelimiter:\nGO
UPDATE customer SET name = 'b' WHERE id = 91
GO
UPDATE customer SET name = 'c' WHERE id = 92
GO
--rollback empty

--changeset mia:6
UPDATE customer SET name = 'd' WHERE id = 91
GO
UPDATE customer SET name = 'e' WHERE id = 92
/
UPDATE customer SET name = 'f' WHERE id = 90;
--rollback changesetId:5 changesetAuthor:mia changesetPath:shop/customers.sql

--changeset mia:7 ignore:true
DROP TABLE customer;
--changeset mia:8 dbms:oracle
DROP TABLE customer;
--changeset mia:9 dbms:!oracle runAlways:true
--validCheckSum: ANY
UPDATE customer SET email = lower(email);
--rollback empty

--changeset mia:10 splitStatements:false
CREATE FUNCTION shout(text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN upper($1);
END;
$$;
--rollback DROP FUNCTION shout(text);
--changeset mia:11 runInTransaction:false
CREATE INDEX CONCURRENTLY customer_email ON customer (email);
--rollback DROP INDEX customer_email;
