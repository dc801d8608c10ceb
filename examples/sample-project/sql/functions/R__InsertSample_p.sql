-- Adds a sample and returns its number. A name that is there already keeps its number.
-- This file runs again whenever it has changed.
CREATE OR REPLACE FUNCTION insert_sample_p(p_name text) RETURNS bigint
LANGUAGE plpgsql
AS $function$
DECLARE
    v_sample_id bigint;
BEGIN
    INSERT INTO sample (name)
    VALUES (trim(p_name))
    ON CONFLICT (name) DO NOTHING
    RETURNING sample_id INTO v_sample_id;

    IF NOT FOUND THEN
        SELECT sample_id INTO STRICT v_sample_id FROM sample WHERE name = trim(p_name);
    END IF;

    RETURN v_sample_id;
END;
$function$;

REVOKE ALL ON FUNCTION insert_sample_p(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION insert_sample_p(text) TO sample_application;
