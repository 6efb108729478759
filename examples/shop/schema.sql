CREATE TABLE products (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL,
    price_cents INTEGER NOT NULL
);

CREATE TABLE cart_items (
    cart     INTEGER NOT NULL,
    product  INTEGER NOT NULL REFERENCES products (id),
    quantity INTEGER NOT NULL,
    PRIMARY KEY (cart, product)
);

CREATE TABLE orders (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    cart        INTEGER NOT NULL,
    total_cents INTEGER NOT NULL CHECK (total_cents > 0)
);

INSERT INTO products VALUES
    (1, 'Coffee beans, 500 g', 1290),
    (2, 'Hand grinder', 5900),
    (3, 'Mug', 1450),
    -- An import that brought no price: nobody notices before the order is placed.
    (4, 'Gift card', 0);

INSERT INTO cart_items VALUES (7, 1, 2), (7, 3, 1), (13, 4, 1);

-- Orders of the past, for the report.
WITH RECURSIVE past (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM past WHERE id < 60)
INSERT INTO orders SELECT id, 100 + id, 900 + id * 137 % 6000 FROM past;
