CREATE OR REPLACE FUNCTION total(order_id bigint, OUT sum numeric)
LANGUAGE plpgsql AS $function$
DECLARE
    line record; -- it's a comment
BEGIN
    sum := 0;
    FOR line IN EXECUTE $q$ SELECT * FROM line WHERE order_id = $1; $q$ USING order_id LOOP
        sum := sum + line.price;
    END LOOP;
END;
$function$;

CREATE FUNCTION quoted() RETURNS text LANGUAGE sql AS 'SELECT ''a;b''; SELECT ''c''';

/* A trigger, /* nested; */ as a body of its own */
CREATE FUNCTION stamp() RETURNS trigger AS $$
BEGIN
    NEW.changed_at := now();
    RETURN NEW;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER stamp BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION stamp();

DO $do$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app') THEN
        CREATE ROLE app;
    END IF;
END $do$;

CREATE FUNCTION grade(points int) RETURNS text
BEGIN ATOMIC
    SELECT CASE
        WHEN points > 90 THEN CASE WHEN points > 95 THEN 'A+' ELSE 'A' END
        WHEN points > 80 THEN (CASE points WHEN 81 THEN 'B-' ELSE 'B' END)
        ELSE 'C; or worse'
    END;
END;

CREATE PROCEDURE move(a int, b int DEFAULT (CASE WHEN true THEN 1 END))
    LANGUAGE sql
    BEGIN ATOMIC
        -- END; of nothing
        INSERT INTO log (start, "end") SELECT l.start, l.end FROM log AS l;
        UPDATE account SET amount = amount - 1 WHERE id = a;
        UPDATE account SET amount = amount + 1 WHERE id = b;
    END;

CALL move(1, 2);

BEGIN;
INSERT INTO t SELECT CASE WHEN a THEN b END FROM s;
END;
