select nope;
