-- nothing
;;
/* here */