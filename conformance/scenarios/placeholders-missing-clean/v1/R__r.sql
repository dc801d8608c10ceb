select '${none}';
