select set_config('app.each', 'yes', false);
