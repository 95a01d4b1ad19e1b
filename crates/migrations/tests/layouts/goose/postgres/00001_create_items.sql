-- What the shop sells.
-- +goose Up
CREATE TABLE item (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL, -- shown to people; never empty
    price integer NOT NULL,
    note text
);

INSERT INTO item (name, price)
VALUES ('Teapot; blue', 3200), -- two rows;
       ('Cup--white', 900);  -- one line

-- +goose Down
DROP TABLE item;
