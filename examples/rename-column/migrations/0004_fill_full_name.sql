-- forerun:data
-- forerun:allow pg-mass-dml "a few thousand users, a fraction of a second"
UPDATE users SET full_name = name WHERE full_name IS NULL;
