--migrate:up transaction:false
VACUUM;
--  migrate:down   transaction:false   colour:blue
VACUUM;
