-- For people and reports: may look at every table, those of later migrations included.
CREATE ROLE read_only LOGIN PASSWORD '${READ_ONLY_PASSWORD}';

GRANT CONNECT ON DATABASE "${DATABASE_NAME}" TO read_only;
GRANT USAGE ON SCHEMA public TO read_only;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO read_only;

-- Holds for the tables that the user who runs the migrations will make.
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO read_only;
