CREATE TABLE shelf (
    id INTEGER PRIMARY KEY,
    label TEXT NOT NULL -- painted on; seen from afar
);
INSERT INTO shelf (label) VALUES ('left; upper'), ('right -- lower');
