\restrict abc

create table p (i int);

\unrestrict abc
