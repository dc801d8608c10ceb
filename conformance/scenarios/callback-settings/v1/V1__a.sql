insert into log.event (what) values (current_setting('app.connect', true)), (current_setting('app.each', true));
