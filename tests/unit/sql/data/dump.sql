--
-- PostgreSQL database dump
--

SET statement_timeout = 0;
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);

--
-- Name: customer; Type: TABLE; Schema: shop; Owner: -
--

CREATE TABLE shop.customer (
    id bigint NOT NULL,
    name text DEFAULT 'it''s; unknown'::text NOT NULL,
    "odd;column" integer[] DEFAULT '{}'::integer[],
    CONSTRAINT "check;it" CHECK ((id > 0) AND (name <> ';'))
);


COMMENT ON COLUMN shop.customer.name IS 'First; and last
-- not a comment
name';

COPY shop.customer (id, name, "odd;column") FROM stdin;
1	O'Neill; "Sam"	{1,2}
2	\N	\N
3	a \. b	{}
\.

--
-- Name: customer_id_seq; Type: SEQUENCE SET
--

SELECT pg_catalog.setval('shop.customer_id_seq', 3, true);

COPY shop.nothing (id) FROM stdin;
\.


ALTER TABLE ONLY shop.customer
    ADD CONSTRAINT customer_pkey PRIMARY KEY (id);

CREATE INDEX customer_name ON shop.customer USING btree (lower(name));

--
-- PostgreSQL database dump complete
--

