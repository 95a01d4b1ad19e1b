A name without an underscore is no migration.
