-- What the shop sells.
-- +goose Up
CREATE TABLE item (
    id bigint AUTO_INCREMENT PRIMARY KEY,
    name varchar(200) NOT NULL, -- shown to people; never empty
    price integer NOT NULL,
    note varchar(200)
);

INSERT INTO item (name, price)
VALUES ('Teapot; blue', 3200), -- two rows;
       ('Cup--white', 900);  -- one line

-- +goose Down
DROP TABLE item;
