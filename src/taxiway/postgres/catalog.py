"""What PostgreSQL's catalogs say of who wrote them: each row has the transaction that wrote it (``xmin``).

Terminology:

part
    A row of a catalog that belongs to an object: the table itself, a column, a default, a constraint.
"""

from typing import Final

# kind, object, column (0 for none), name of the part, transaction. A table's hidden column tableoid (attnum -6) is
# written when the table is created and never again, unlike its row in pg_class; views have none.
PARTS: Final = """
SELECT 'relation' AS kind, oid AS object_id, 0 AS column_number, NULL::name AS part, xmin AS writer
  FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I', 'c')
UNION ALL SELECT 'creation', attrelid, 0, NULL, xmin FROM pg_catalog.pg_attribute WHERE attnum = -6
UNION ALL SELECT CASE WHEN attisdropped THEN 'dropped column' ELSE 'column' END, attrelid, attnum, attname, xmin
  FROM pg_catalog.pg_attribute WHERE attnum > 0
UNION ALL SELECT 'default', adrelid, adnum, NULL, xmin FROM pg_catalog.pg_attrdef
UNION ALL SELECT 'constraint', conrelid, CASE WHEN cardinality(conkey) = 1 THEN conkey[1] ELSE 0 END, conname, xmin
  FROM pg_catalog.pg_constraint WHERE conrelid <> 0
UNION ALL SELECT 'index', i.indrelid, 0, c.relname, i.xmin
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
UNION ALL SELECT 'trigger', tgrelid, 0, tgname, xmin FROM pg_catalog.pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'rule', ev_class, 0, rulename, xmin FROM pg_catalog.pg_rewrite
UNION ALL SELECT 'policy', polrelid, 0, polname, xmin FROM pg_catalog.pg_policy
UNION ALL SELECT 'function', oid, 0, NULL, xmin FROM pg_catalog.pg_proc
UNION ALL SELECT 'type', t.oid, 0, NULL, t.xmin FROM pg_catalog.pg_type t
  LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
  WHERE (t.typrelid = 0 OR c.relkind = 'c') AND t.typcategory <> 'A'
UNION ALL SELECT 'schema', oid, 0, NULL, xmin FROM pg_catalog.pg_namespace
"""

# What an object is called, and what it is; one row for each.
OBJECTS: Final = """
SELECT c.oid AS object_id, n.nspname AS schema_name, c.relname AS name, c.relkind::text AS sort,
       'relation' AS family
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I', 'c')
UNION ALL SELECT p.oid, n.nspname, p.proname, CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END,
       'function'
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
UNION ALL SELECT t.oid, n.nspname, t.typname, 'type', 'type'
  FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  WHERE t.typrelid = 0 AND t.typcategory <> 'A'
UNION ALL SELECT oid, nspname, nspname, 'schema', 'schema' FROM pg_catalog.pg_namespace
"""
