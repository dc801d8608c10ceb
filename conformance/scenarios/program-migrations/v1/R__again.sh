echo again
