select '$${a} ${a} $$${a}';
