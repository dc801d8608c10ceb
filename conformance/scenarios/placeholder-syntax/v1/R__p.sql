select '#[a]# ##[a]#';
