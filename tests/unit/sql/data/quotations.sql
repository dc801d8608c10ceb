SELECT E'it\'s; one', e'back\\', 'C:\';
SELECT E'first'
    -- goes on; below
    'it\'s; second';
SELECT U&'d\0061t;\', U&"d\0061t;" FROM t WHERE a LIKE'b\';
SELECT B'01;', X'1F;', N'n;', $1, foo$bar$baz, $_$it's; $1 $$ body$_$;
SELECT 'a' || $$;$$ || $a$ $b$;$b$ $a$, "col;""umn" -- ; no
FROM t /* ; /* ; */ ; */ WHERE a = 1;
(SELECT 1) UNION (SELECT 2);
CREATE RULE notify_me AS ON UPDATE TO t DO ALSO (NOTIFY t; INSERT INTO log VALUES (';'); DELETE FROM s);
SELECT 10/*;*/-1--;
;
;; -- stray
SELECT 1)
