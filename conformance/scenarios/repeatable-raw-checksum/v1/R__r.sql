select '${x}';
