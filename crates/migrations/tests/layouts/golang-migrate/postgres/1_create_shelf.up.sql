CREATE TABLE shelf (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    label text NOT NULL -- painted on; seen from afar
);
INSERT INTO shelf (label) VALUES ('left; upper'), ('right -- lower');
