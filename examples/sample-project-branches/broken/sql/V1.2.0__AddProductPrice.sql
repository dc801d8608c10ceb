ALTER TABLE product ADD COLUMN price_usd numeric(10, 2);

COMMENT ON COLUMN product.price_usd IS 'Price of one unit in US dollars.';

INSERT INTO product (name, weight_lbs, units)
VALUES ('Windsock', 4.5, 12),
       ('Runway lamp', 11.25, 40);

-- Wrong on purpose: the column is called weight_lbs. Nothing of this file may stay behind.
UPDATE product
   SET price_usd = round(wieght_lbs * 2.40, 2)
 WHERE price_usd IS NULL;

ALTER TABLE product ALTER COLUMN price_usd SET NOT NULL;
