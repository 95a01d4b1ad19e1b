INSERT INTO run (event) VALUES ('beforeRepeatables');
