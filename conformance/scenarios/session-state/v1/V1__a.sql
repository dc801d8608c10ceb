create schema other; set search_path to other; set lock_timeout = '7s'; create table a (i int);
