SELECT 'a query of somebody';
