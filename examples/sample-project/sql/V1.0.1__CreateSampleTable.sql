CREATE TABLE sample (
    sample_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL UNIQUE CHECK (name <> ''),
    taken_at   timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE sample IS 'What was taken for a closer look.';
COMMENT ON COLUMN sample.name IS 'The label on the sample; no two are alike.';
COMMENT ON COLUMN sample.taken_at IS 'When it was taken; the moment of the insert if nobody says otherwise.';
