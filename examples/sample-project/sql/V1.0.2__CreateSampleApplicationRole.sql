-- For the application: reads and writes samples, and changes no table.
CREATE ROLE sample_application LOGIN PASSWORD '${SAMPLE_APPLICATION_PASSWORD}';

GRANT CONNECT ON DATABASE "${DATABASE_NAME}" TO sample_application;
GRANT USAGE ON SCHEMA public TO sample_application;
GRANT SELECT, INSERT, UPDATE, DELETE ON sample TO sample_application;
