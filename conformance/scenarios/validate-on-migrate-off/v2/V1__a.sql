select 'edited';
