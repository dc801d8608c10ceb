echo going
