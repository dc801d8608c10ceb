create table a as select current_setting('search_path') as path;
