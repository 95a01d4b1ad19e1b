SELECT 'information is not a migration';
