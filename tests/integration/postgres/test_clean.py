"""clean leaves a schema as it was made: every kind of object goes, what is not the schema's own stays."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from sandbox.directory import temporary_directory
from sandbox.postgres import PostgresServer
from taxiway import errors
from taxiway.engine.ports import HistoryTable
from taxiway.model.settings import DatabaseSettings
from taxiway.postgres.session import PostgresSession
from taxiway.secret import Secret
from tests.integration.postgres.conftest import Heard, Opener
from tests.support.pytest_sandbox import Database, make_database

TABLE = HistoryTable("public", "flyway_schema_history")

# Kinds that any owner of a schema can make, with dependencies in every direction
OF_ANYBODY = """
CREATE TABLE "Odd ""name"" {%}" (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, self int);
ALTER TABLE "Odd ""name"" {%}" ADD FOREIGN KEY (self) REFERENCES "Odd ""name"" {%}";
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE pair AS (a int, b mood);
CREATE TYPE span AS RANGE (subtype = float8, multirange_type_name = spans);
CREATE DOMAIN age AS int CHECK (VALUE >= 0);
CREATE DOMAIN ages AS age[];
CREATE FUNCTION f(mood, int DEFAULT 1, OUT x int, VARIADIC rest text[] DEFAULT '{}') LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION f(n int) RETURNS int LANGUAGE sql AS 'SELECT n';
CREATE FUNCTION "F(o,o)"(pair[], spans) RETURNS SETOF mood LANGUAGE sql AS 'SELECT NULL::mood' WINDOW;
CREATE PROCEDURE p(int) LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE p(OUT int) LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE p(INOUT a mood, IN b pair, OUT c text) LANGUAGE sql AS $$SELECT a, 'x'$$;
CREATE FUNCTION step(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT $1 + 1';
CREATE FUNCTION step(int, mood) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE rows_of(*) (SFUNC = step, STYPE = bigint, INITCOND = 0);
CREATE AGGREGATE agg(mood) (SFUNC = step, STYPE = int, INITCOND = 0);
CREATE AGGREGATE ordered(float8 ORDER BY mood) (SFUNC = step, STYPE = int);
CREATE FUNCTION same(mood, mood) RETURNS bool LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION flip(mood) RETURNS mood LANGUAGE sql AS 'SELECT $1';
CREATE OPERATOR === (LEFTARG = mood, RIGHTARG = mood, FUNCTION = same, COMMUTATOR = ====);
CREATE OPERATOR !@ (RIGHTARG = mood, FUNCTION = flip);
CREATE COLLATION german (provider = libc, locale = 'C');
CREATE CONVERSION conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE TEXT SEARCH DICTIONARY dict (TEMPLATE = simple);
CREATE TEXT SEARCH CONFIGURATION conf (PARSER = "default");
ALTER TEXT SEARCH CONFIGURATION conf ADD MAPPING FOR word WITH dict;
CREATE TABLE typed OF pair;
CREATE TABLE users (id serial, m mood DEFAULT 'sad', p pair, a age, n text COLLATE german,
    CHECK (f(id) > 0), CHECK ('emptied'::regnamespace IS NOT NULL));
CREATE STATISTICS stats ON id, a FROM users;
CREATE TABLE child () INHERITS (users);
CREATE TABLE parted (a int PRIMARY KEY, b int) PARTITION BY RANGE (a);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (100) PARTITION BY LIST (a);
CREATE TABLE parted_1_1 PARTITION OF parted_1 FOR VALUES IN (7);
CREATE TABLE joined_later (a int NOT NULL, b int);
ALTER TABLE parted ATTACH PARTITION joined_later FOR VALUES FROM (200) TO (300);
CREATE INDEX parted_b ON parted (b);
CREATE SEQUENCE loose;
CREATE SEQUENCE owned OWNED BY users.a;
CREATE VIEW v AS SELECT *, f(id) AS g, 'emptied'::regnamespace AS here FROM users;
CREATE MATERIALIZED VIEW mv AS SELECT * FROM v;
CREATE VIEW w AS SELECT * FROM mv;
CREATE RULE "_rule" AS ON INSERT TO users DO ALSO NOTIFY x;
CREATE FUNCTION trig() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION trig();
CREATE FUNCTION atomic() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM w; END;
CREATE POLICY pol ON users USING (f(id) = 1);
CREATE FUNCTION number_of(mood) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE CAST (mood AS int) WITH FUNCTION number_of(mood);
"""

# Kinds that only a superuser can make
OF_SUPERUSERS = """
CREATE TYPE never_more_than_a_shell;
CREATE TYPE shell;
CREATE FUNCTION base_in(cstring) RETURNS shell LANGUAGE internal STRICT IMMUTABLE AS 'int4in';
CREATE FUNCTION base_out(shell) RETURNS cstring LANGUAGE internal STRICT IMMUTABLE AS 'int4out';
CREATE TYPE shell (INPUT = base_in, OUTPUT = base_out, LIKE = int);
CREATE TABLE of_base (b shell, bs shell[]);
CREATE FUNCTION compare(shell, shell) RETURNS int LANGUAGE internal STRICT IMMUTABLE AS 'btint4cmp';
CREATE FUNCTION less(shell, shell) RETURNS bool LANGUAGE internal STRICT IMMUTABLE AS 'int4lt';
CREATE OPERATOR << (LEFTARG = shell, RIGHTARG = shell, FUNCTION = less);
CREATE OPERATOR FAMILY fam USING btree;
CREATE OPERATOR CLASS cls FOR TYPE shell USING btree AS OPERATOR 1 <<, FUNCTION 1 compare(shell, shell);
CREATE OPERATOR CLASS cls_2 DEFAULT FOR TYPE shell USING btree FAMILY fam AS OPERATOR 1 <<,
    FUNCTION 1 compare(shell, shell);
CREATE AGGREGATE most(ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal,
    FINALFUNC = mode_final, FINALFUNC_EXTRA);
CREATE TEXT SEARCH PARSER prs (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end,
    LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH TEMPLATE tpl (LEXIZE = dsimple_lexize);
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE abroad (i int, m mood) SERVER elsewhere;
CREATE TABLE dropped_things (tag text);
CREATE FUNCTION remember() RETURNS event_trigger LANGUAGE plpgsql AS
    $$BEGIN INSERT INTO emptied.dropped_things VALUES (tg_tag); END$$;
CREATE EVENT TRIGGER watch ON sql_drop EXECUTE FUNCTION remember();
"""


@pytest.fixture
def emptied(database: Database) -> Iterator[psycopg.Connection]:
    """A superuser's connection whose current schema is the one that the tests clean."""
    with database.server.admin(database.name) as connection:
        connection.execute("CREATE SCHEMA emptied; SET search_path = emptied")
        connection.execute(f"ALTER SCHEMA emptied OWNER TO {database.user}".encode())
        yield connection


def is_empty(connection: psycopg.Connection, schema: str = "emptied") -> bool:
    """Whether the server would drop the schema without CASCADE."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(f'DROP SCHEMA "{schema}" RESTRICT'.encode())
    except psycopg.errors.DependentObjectsStillExist:
        return False
    return True


def run(connection: psycopg.Connection, script: str) -> None:
    connection.execute(script.encode())


def test_every_kind_of_object_goes(superuser: PostgresSession, emptied: psycopg.Connection, heard: Heard) -> None:
    run(emptied, OF_ANYBODY + OF_SUPERUSERS)
    assert not is_empty(emptied)

    superuser.clean_schema("emptied", TABLE)

    assert is_empty(emptied)
    assert emptied.execute("SELECT FROM pg_event_trigger").fetchall() == []
    assert heard == []
    superuser.clean_schema("emptied", TABLE)


def test_an_ordinary_owner_of_the_schema_is_enough(
    session: PostgresSession, database: Database, emptied: psycopg.Connection, heard: Heard
) -> None:
    with database.connect(autocommit=True) as owner:
        owner.execute("SET search_path = emptied")
        run(owner, OF_ANYBODY)

    session.clean_schema("emptied", TABLE)

    assert is_empty(emptied)
    assert heard == []
    assert not session.in_transaction


def test_objects_of_others_in_a_schema_of_ours_go_too(
    session: PostgresSession, emptied: psycopg.Connection
) -> None:
    """The owner of a schema may drop what is in it (PostgreSQL manual, DROP TABLE)."""
    run(emptied, "CREATE TABLE of_the_superuser (); CREATE TYPE e AS ENUM ('a')")
    session.clean_schema("emptied", TABLE)
    assert is_empty(emptied)


def test_what_is_not_the_schemas_own_stays(superuser: PostgresSession, emptied: psycopg.Connection) -> None:
    run(
        emptied,
        """
        CREATE SCHEMA other;
        CREATE TABLE emptied.t (i int);
        CREATE TABLE other.kept (i int, here regnamespace DEFAULT 'emptied'::regnamespace,
            CHECK (here <> 'emptied'::regnamespace));
        CREATE VIEW other.kept_view AS SELECT 'emptied'::regnamespace AS here;
        CREATE FUNCTION other.kept_function() RETURNS regnamespace LANGUAGE sql RETURN 'emptied'::regnamespace;
        CREATE VIEW other.goes AS SELECT * FROM emptied.t;
        ALTER DEFAULT PRIVILEGES IN SCHEMA emptied GRANT SELECT ON TABLES TO PUBLIC;
        GRANT USAGE ON SCHEMA emptied TO PUBLIC;
        COMMENT ON SCHEMA emptied IS 'kept';
        CREATE PUBLICATION pub FOR TABLE emptied.t;
        """,
    )
    superuser.clean_schema("emptied", TABLE)
    names = "SELECT relname FROM pg_class WHERE relnamespace = 'other'::regnamespace ORDER BY 1"
    assert emptied.execute(names).fetchall() == [("kept",), ("kept_view",)]
    [(acl, comment, defaults, routines)] = emptied.execute(
        "SELECT nspacl IS NOT NULL, obj_description(oid), (SELECT count(*) FROM pg_default_acl), "
        "(SELECT count(*) FROM pg_proc WHERE proname = 'kept_function') "
        "FROM pg_namespace WHERE nspname = 'emptied'"
    ).fetchall()
    assert (acl, comment, defaults, routines) == (True, "kept", 1, 1)


def extensions(connection: psycopg.Connection) -> list[Any]:
    rows = connection.execute("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1")
    return [name for (name,) in rows]


def test_extensions_of_ours_go_and_those_of_others_stay_whole(
    session: PostgresSession, database: Database, emptied: psycopg.Connection
) -> None:
    """Flyway fails at a sequence or an enum of an extension, and drops the extension only if it comes that far."""
    emptied.execute("CREATE EXTENSION seg SCHEMA emptied; CREATE EXTENSION cube SCHEMA emptied")
    emptied.execute("CREATE TYPE emptied.of_cube AS ENUM ('a'); CREATE SEQUENCE emptied.also_of_cube")
    emptied.execute("ALTER EXTENSION cube ADD TYPE emptied.of_cube")
    emptied.execute("ALTER EXTENSION cube ADD SEQUENCE emptied.also_of_cube")
    with database.connect(autocommit=True) as owner:
        owner.execute(f'GRANT CREATE ON DATABASE "{database.name}" TO CURRENT_USER'.encode())
        owner.execute("CREATE EXTENSION hstore SCHEMA emptied")
        owner.execute("CREATE TABLE emptied.t (h emptied.hstore, s emptied.seg, c emptied.cube)")
    assert extensions(emptied) == ["cube", "hstore", "seg"]

    session.clean_schema("emptied", TABLE)

    assert extensions(emptied) == ["cube", "seg"]
    assert emptied.execute("SELECT 'a'::emptied.of_cube::text, '1'::emptied.seg::text").fetchall() == [("a", "1")]
    assert emptied.execute("SELECT to_regclass('emptied.t')").fetchall() == [(None,)]


def test_public_is_emptied_and_kept(session: PostgresSession, database: Database) -> None:
    with database.connect(autocommit=True) as owner:
        run(owner, OF_ANYBODY.replace("emptied", "public"))
        session.clean_schema("public", TABLE)
        assert is_empty(owner, "public")


@pytest.mark.parametrize("name", ['Oddly "named" schéma {} %s %(x)s \'', "select"])
def test_any_name_of_a_schema_will_do(session: PostgresSession, database: Database, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    with database.connect(autocommit=True) as owner:
        owner.execute(f"CREATE SCHEMA {quoted} CREATE TABLE t (i int) CREATE VIEW v AS SELECT * FROM t".encode())
        session.clean_schema(name, TABLE)
        assert is_empty(owner, name.replace('"', '""'))
        session.drop_schema(name, TABLE)
        assert owner.execute("SELECT FROM pg_namespace WHERE nspname = %s", [name]).fetchall() == []


def test_a_schema_that_is_not_there_is_clean(session: PostgresSession) -> None:
    session.clean_schema("nowhere", TABLE)
    session.drop_schema("nowhere", TABLE)


def test_a_refusal_drops_nothing_and_leaves_no_transaction_open(
    session: PostgresSession, emptied: psycopg.Connection, database: Database
) -> None:
    run(emptied, "ALTER SCHEMA emptied OWNER TO postgres; CREATE TABLE of_the_superuser (i int)")
    emptied.execute(f"GRANT ALL ON SCHEMA emptied TO {database.user}".encode())
    with database.connect(autocommit=True) as owner:
        owner.execute("CREATE TABLE emptied.of_the_owner (i int)")

    with pytest.raises(errors.PermissionDenied, match='Cleaning schema "emptied": must be owner') as caught:
        session.clean_schema("emptied", TABLE)

    assert caught.value.hint
    assert not session.in_transaction
    [(tables,)] = emptied.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'emptied'").fetchall()
    assert tables == 2


@pytest.fixture(scope="module")
def cramped() -> Iterator[PostgresServer]:
    """A server with room for some 400 locks; a table takes five or more."""
    few = {"max_locks_per_transaction": "10", "max_connections": "10", "max_wal_senders": "0"}
    with (
        temporary_directory(in_memory=True) as directory,
        PostgresServer(directory / "postgres", settings=few) as server,
    ):
        yield server


def make_tables(connection: psycopg.Connection, schema: str, form: str) -> None:
    connection.execute(
        "CREATE SCHEMA elsewhere; CREATE TABLE t (i int PRIMARY KEY, s text) PARTITION BY RANGE (i)"
    )
    for number in range(300):
        ending = form.format(number, number + 1)
        connection.execute(f"CREATE TABLE {schema}.t_{number} {ending}".encode())


_PARTITION = "PARTITION OF t FOR VALUES FROM ({}) TO ({})"


@pytest.mark.parametrize("form", ["(i serial, s text)", _PARTITION])
def test_more_objects_than_there_is_room_for_locks(opened: Opener, cramped: PostgresServer, form: str) -> None:
    database = make_database(cramped, 1 if form == _PARTITION else 2)
    session = opened(DatabaseSettings(url=database.url, password=Secret(database.password)))
    with database.connect(autocommit=True) as owner:
        make_tables(owner, "public", form)
        with pytest.raises(psycopg.errors.OutOfMemory):
            owner.execute("DROP SCHEMA public CASCADE")
        session.clean_schema("public", TABLE)
        assert is_empty(owner, "public")


def test_one_object_that_takes_too_many_locks_is_an_error_that_names_the_setting(
    opened: Opener, cramped: PostgresServer
) -> None:
    database = make_database(cramped, 3)
    session = opened(DatabaseSettings(url=database.url, password=Secret(database.password)))
    with database.connect(autocommit=True) as owner:
        make_tables(owner, "elsewhere", _PARTITION)
    with pytest.raises(errors.DatabaseError, match='Cleaning schema "public"') as caught:
        session.clean_schema("public", TABLE)
    assert "max_locks_per_transaction" in (caught.value.hint or "")
    assert not session.in_transaction
    session.clean_schema("elsewhere", TABLE)
    session.clean_schema("public", TABLE)
