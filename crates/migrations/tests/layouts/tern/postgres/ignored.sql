{{ not a migration }}
