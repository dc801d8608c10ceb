create table p (t text);
-- ${a} in a comment
/* ${LONG_name} */
insert into p values ('${a}'), ('${A}${empty}'), ($$${a}$$), ($x$${a}$x$), ('$${a}'), ('$$${a}'), ('$$$${a}'), ($x$ ${a} $x$);
create table "${a}" (i int);
