create text search dictionary d (template = simple);
create text search configuration conf (copy = simple);
