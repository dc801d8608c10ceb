CREATE TABLE product (
    product_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    weight_lbs  numeric(8, 2) CHECK (weight_lbs > 0),
    units       integer NOT NULL DEFAULT 0 CHECK (units >= 0)
);

COMMENT ON TABLE product IS 'What can be ordered.';
COMMENT ON COLUMN product.weight_lbs IS 'Weight of one unit in pounds; NULL until it was weighed.';
COMMENT ON COLUMN product.units IS 'Units in stock.';
