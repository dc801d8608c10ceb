select '${a';
