select '   😀';
