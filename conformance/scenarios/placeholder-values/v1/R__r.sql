select '${a}';
