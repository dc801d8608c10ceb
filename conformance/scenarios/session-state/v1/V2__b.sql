create table b as select current_setting('search_path') as path, current_setting('lock_timeout') as timeout, current_user::text as who;
