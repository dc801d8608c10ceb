select set_config('app.connect', 'yes', false);
